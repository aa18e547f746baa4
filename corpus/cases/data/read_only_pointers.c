/* Constant tables that hold addresses: they are relocated once and belong to the part that is read-only afterwards. */
// call: pick(2i32) = 33i32
// call: check() = 1i32
struct entry { const char *name; const int *value; };
extern const int values[3];
extern const struct entry table[3];
int pick(int i) { return *table[i].value; }
int check(void) { return table[1].name[0] == 'b' && table[1].value == &values[1]; }

//--- table.c
struct entry { const char *name; const int *value; };
const int values[3] = {11, 22, 33};
const struct entry table[3] = {{"a", &values[0]}, {"b", &values[1]}, {"c", &values[2]}};
