// Files in memory. The first argument is a directory of one's own.
#include "show.h"
#include <sys/mman.h>

// What MAP_FAILED is told as.
#define map(...) (long)mapped(#__VA_ARGS__, mmap(__VA_ARGS__))
static void *mapped(const char *what, void *at) {
  printf("mmap(%s): %s\n", what, at == MAP_FAILED ? strerror(errno) : "there");
  return at;
}
static void maps(void) {
  const int page = 4096;
  char pattern[3 * page + 100], byte;
  puts("-- mappings");
  for (int n = 0; n < sizeof pattern; n++) pattern[n] = 'a' + n % 23;
  int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
  int reader = open("mapped", O_RDONLY), writer = open("mapped", O_WRONLY), directory = open(".", O_RDONLY);
  show(write(fd, pattern, sizeof pattern));
  char *all = mapped("all", mmap(0, 2 * page + 50, PROT_READ, MAP_PRIVATE, fd, 0));
  show(memcmp(all, pattern, 3 * page));
  char *shared = mapped("shared", mmap(0, page, PROT_READ, MAP_SHARED, reader, page));
  show(memcmp(shared, pattern + page, page));
  char *tail = mapped("tail", mmap(0, page, PROT_READ, MAP_PRIVATE, fd, 3 * page));
  printf("%d %d\n", memcmp(tail, pattern + 3 * page, 100), tail[100]);
  char *own = mapped("own", mmap(0, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader, 0));
  own[5] = own[page] = '!';
  pread(fd, &byte, 1, 5);
  printf("%c %c\n", byte, own[5]);
  show(madvise(own, page, MADV_DONTNEED));
  printf("%c %c\n", own[5], own[page]);
  show(mprotect(all, page, PROT_READ | PROT_WRITE));
  all[1] = '?';
  printf("%.3s\n", all);
  own = mapped("moved", mremap(own, 2 * page, 3 * page, MREMAP_MAYMOVE));
  printf("%c %d\n", own[page], memcmp(own + 2 * page, pattern + 2 * page, page));
  mapped("fixed", mmap(own + page, page, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 2 * page));
  printf("%d %d\n", memcmp(own + page, pattern + 2 * page, page), memcmp(own, pattern, page));
  show(munmap(own, page));
  show(madvise(own + page, 2 * page, MADV_DONTNEED));
  printf("%d\n", memcmp(own + 2 * page, pattern + 2 * page, page));
  map(0, page, PROT_READ, MAP_PRIVATE, writer, 0);
  map(0, page, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0);
  map(0, page, PROT_READ, MAP_PRIVATE, fd, 100);
  map(0, 0, PROT_READ, MAP_PRIVATE, fd, 0);
  map(0, page, PROT_READ, MAP_PRIVATE, 99, 0);
  map(0, page, PROT_READ, MAP_PRIVATE, directory, 0);
  close(fd);
  close(reader);
  close(writer);
  close(directory);
  show(unlink("mapped"));
  show(memcmp(shared, pattern + page, page));
}

int main(int count, char **words) {
  if (chdir(words[1])) return 1;
  maps();
  return 0;
}
