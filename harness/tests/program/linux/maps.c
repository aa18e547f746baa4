// Files in memory. The first argument is a directory of one's own.
#include "show.h"
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

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

// What is written to shared pages is in the file for whoever reads it, and the other way round.
static void shared(void) {
  const int page = 4096;
  char text[32] = {0};
  puts("-- shared");
  int fd = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
  show(ftruncate(fd, page + 100));
  char *all = mapped("both", mmap(0, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  strcpy(all + 10, "first");
  show(pread(fd, text, 5, 10));
  puts(text);
  show(pwrite(fd, "second", 6, page));
  printf("%.6s\n", all + page);
  strcpy(all + page + 50, "third");
  all[page + 200] = 'x';
  show(msync(all, 2 * page, MS_SYNC));
  int other = open("shared", O_RDONLY);
  memset(text, 0, 32);
  show(pread(other, text, 5, page + 50));
  puts(text);
  show(ftruncate(fd, 20));
  printf("%d %d\n", all[14], all[100]);
  show(ftruncate(fd, page + 10));
  printf("%d %d\n", all[14], all[page]);
  show(mprotect(all, page, PROT_READ));
  show(mprotect(all, page, PROT_READ | PROT_WRITE));
  all[0] = 'z';
  show(mprotect(all, page, PROT_NONE));
  show(pread(other, text, 1, 0));
  puts(text);
  show(mprotect(all, page, PROT_READ | PROT_WRITE));
  all[1] = 'y';
  show(munmap(all, page));
  content("shared");
  all[page] = 'q';
  show(msync(all + page, page, MS_SYNC | MS_ASYNC));
  show(msync(all + page + 1, page, MS_SYNC));
  show(msync(all + page, page, 64));
  show(munmap(all + page, page));
  memset(text, 0, 32);
  show(pread(other, text, 1, page));
  puts(text);
  char *late = mapped("late", mmap(0, page, PROT_READ, MAP_SHARED, other, 0));
  show(mprotect(late, page, PROT_READ | PROT_WRITE));
  show(munmap(late, page));
  // It is in the file when the process is over.
  late = mapped("last", mmap(0, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  strcpy(late, "last words");
  close(other);
  close(fd);
}
static void room(void) {
  struct stat st;
  struct statfs known, same;
  struct statvfs flags;
  puts("-- room");
  int fd = open("room", O_RDWR | O_CREAT | O_TRUNC, 0600), reader = open("room", O_RDONLY), ends[2];
  show(fallocate(fd, 0, 100, 5000));
  fstat(fd, &st);
  status("allocated", &st);
  show(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 20000));
  show(write(fd, "0123456789", 10));
  char *seen = mapped("seen", mmap(0, 100, PROT_READ, MAP_SHARED, reader, 0));
  printf("%.10s\n", seen);
  show(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 3));
  printf("%d %d %d\n", seen[1], seen[2], seen[5]);
  content("room");
  show(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 2, 3));
  show(fallocate(fd, 0, -1, 3));
  show(fallocate(fd, 0, 0, 0));
  show(fallocate(reader, 0, 0, 10));
  show(fallocate(99, 0, 0, 10));
  pipe(ends);
  show(fallocate(ends[1], 0, 0, 10));
  show(posix_fallocate(fd, 0, 30000));
  fstat(fd, &st);
  printf("%d\n", (int)st.st_size);
  show(statfs(".", &known));
  show(fstatfs(fd, &same));
  printf("%lx %ld %ld %lld %d %d\n", (long)known.f_type, (long)known.f_bsize, (long)known.f_namelen, (long long)known.f_blocks,
         known.f_type == same.f_type && known.f_blocks == same.f_blocks && known.f_files == same.f_files, known.f_bfree > 0);
  show(statfs("missing", &known));
  show(fstatfs(99, &known));
  show(statvfs(".", &flags));
  printf("%d %lu\n", (int)(flags.f_flag & ST_RDONLY), flags.f_frsize);
}

int main(int count, char **words) {
  if (chdir(words[1])) return 1;
  maps();
  shared();
  room();
  return 0;
}
