// What programs print of calls: each as it is written, with its result or the error.
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long show_call(const char *what, long result) {
  if (result < 0) printf("%s: %s\n", what, strerror(errno));
  else printf("%s: %ld\n", what, result);
  return result;
}
#define show(call) show_call(#call, (long)(call))

static void status(const char *what, const struct stat *st) {
  printf("%s: mode %o, links %d, size %lld, own %d, blocks %d, time %d\n", what, st->st_mode, (int)st->st_nlink,
         S_ISDIR(st->st_mode) ? 0LL : (long long)st->st_size, st->st_uid == getuid(), S_ISREG(st->st_mode) ? (int)st->st_blocks : 0,
         st->st_mtime > 1000000000);
}
static void content(const char *path) {
  char text[64] = {0};
  int fd = open(path, O_RDONLY);
  int count = read(fd, text, 63);
  printf("%s has %d: ", path, count);
  for (int n = 0; n < count; n++) putchar(text[n] ? text[n] : '.');
  putchar('\n');
  close(fd);
}
