/* Creates, fills and queries a database in memory, and has it checked. */
#include "sqlite3.h"
#include <stdio.h>
#include <stdlib.h>

static sqlite3 *database;

static int show(void *unused, int count, char **values, char **names) {
  for (int i = 0; i < count; i++)
    printf("%s%s=%s", i ? " " : "", names[i], values[i] ? values[i] : "NULL");
  putchar('\n');
  return 0;
}

static void run(const char *text) {
  char *error = 0;
  if (sqlite3_exec(database, text, show, 0, &error) != SQLITE_OK) {
    printf("%s: %s\n", text, error);
    exit(1);
  }
}

int main(void) {
  if (sqlite3_open(":memory:", &database) != SQLITE_OK)
    return 2;
  run("CREATE TABLE parts(id INTEGER PRIMARY KEY, name TEXT NOT NULL, weight REAL, owner INTEGER);"
      "CREATE TABLE owners(id INTEGER PRIMARY KEY, name TEXT UNIQUE);"
      "CREATE INDEX by_owner ON parts(owner, weight);"
      "CREATE TRIGGER grows AFTER INSERT ON parts WHEN new.weight IS NULL BEGIN"
      " UPDATE parts SET weight = new.id * 0.25 WHERE id = new.id; END;");
  run("BEGIN");
  sqlite3_stmt *insert;
  if (sqlite3_prepare_v2(database, "INSERT INTO parts(name, weight, owner) VALUES(?1, ?2, ?3)", -1, &insert, 0))
    return 3;
  for (int i = 0; i < 2000; i++) {
    char name[32];
    int length = snprintf(name, sizeof name, "part %d", i * 7919 % 2003);
    sqlite3_bind_text(insert, 1, name, length, SQLITE_TRANSIENT);
    if (i % 5)
      sqlite3_bind_double(insert, 2, i / 8.0);
    else
      sqlite3_bind_null(insert, 2);
    sqlite3_bind_int(insert, 3, i % 13);
    if (sqlite3_step(insert) != SQLITE_DONE || sqlite3_reset(insert) != SQLITE_OK)
      return 4;
  }
  sqlite3_finalize(insert);
  run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 12)"
      " INSERT INTO owners SELECT i, printf('owner %02d', i) FROM n; COMMIT");
  run("SELECT count(*), sum(weight), min(name), max(name) FROM parts");
  run("SELECT o.name, count(*) AS parts, round(avg(p.weight), 3) AS mean FROM parts p JOIN owners o ON o.id = p.owner"
      " GROUP BY o.id HAVING mean > 60 ORDER BY mean DESC, o.name LIMIT 5");
  run("DELETE FROM parts WHERE id % 3 = 0; VACUUM");
  run("SELECT group_concat(id, ',') AS ids FROM (SELECT id FROM parts WHERE name LIKE 'part 19%' ORDER BY name LIMIT 12)");
  run("SELECT upper(hex(substr(name, 1, 6))) AS hex, length(name) AS length FROM parts ORDER BY weight DESC LIMIT 2");
  run("PRAGMA integrity_check");
  return sqlite3_close(database) == SQLITE_OK ? 0 : 5;
}
