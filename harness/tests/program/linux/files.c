// Calls about open files, each with what it gives. The first argument is a directory of one's own; with another one, those that
// qemu-user does not know.
#include "show.h"
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static void opening(void) {
  int fd;
  puts("-- opening");
  show(open("none", O_RDONLY));
  show(fd = open("one", O_RDWR | O_CREAT, 0640));
  show(open("one", O_RDWR | O_CREAT | O_EXCL, 0640));
  show(write(fd, "0123456789", 10));
  show(open("one", O_RDONLY | O_DIRECTORY));
  show(open("one/more", O_RDONLY));
  show(open("one/", O_RDONLY));
  show(open(".", O_WRONLY));
  show(open(".", O_RDONLY | O_CREAT, 0600));
  show(close(fd));
  show(close(fd));
  show(fd = syscall(SYS_openat, AT_FDCWD, "one", O_WRONLY | O_APPEND));
  show(write(fd, "abc", 3));
  show(lseek(fd, 0, SEEK_CUR));
  show(read(fd, &fd, 1));
  show(close(fd));
  content("one");
  show(fd = creat("two", 0600));
  show(write(fd, "xy", 2));
  show(close(fd));
  show(fd = open("two", O_WRONLY | O_TRUNC));
  show(close(fd));
  content("two");
  symlink("one", "link");
#ifdef SYS_open
  show_call("open", fd = syscall(SYS_open, "one", O_RDONLY));
  close(fd);
  show_call("creat", fd = syscall(SYS_creat, "two", 0600));
  close(fd);
#endif
  show(open("link", O_RDONLY | O_NOFOLLOW));
  show(fd = open("link", O_PATH | O_NOFOLLOW));
  show(read(fd, &fd, 1));
  show(close(fd));
  unlink("link");
}

// What qemu-user does not know.
static void strict(void) {
  struct { unsigned long long flags, mode, resolve, more; } how = {0};
#define OPEN(path, size) show(close(show(syscall(SYS_openat2, AT_FDCWD, path, &how, size))))
  close(open("one", O_CREAT, 0600));
  symlink("one", "link");
  symlink(".", "here");
  mkdir("sub", 0700);
  OPEN("one", 24);
  OPEN("one", 32);
  OPEN("one", 8);
  OPEN("one", 8192);
  how.more = 1;
  OPEN("one", 32);
  how.mode = 0600;
  OPEN("one", 24);
  how.flags = O_CREAT | O_RDWR;
  OPEN("made", 24);
  how.mode = how.flags = 0;
  how.resolve = 4;
  OPEN("link", 24);
  OPEN("here/one", 24);
  how.resolve = 8;
  OPEN("here/link", 24);
  OPEN("sub/../one", 24);
  OPEN("../one", 24);
  OPEN("sub/../../one", 24);
  OPEN("/one", 24);
  how.resolve = 16;
  OPEN("/../one", 24);
  OPEN("/link", 24);
  how.resolve = 24;
  OPEN("one", 24);
  how.resolve = 0;
  how.flags = 1ull << 40;
  OPEN("one", 24);
}

static void moving(void) {
  char text[16] = {0}, more[16] = {0};
  struct iovec parts[] = {{text, 3}, {more, 4}, {text + 8, 8}};
  int fd = open("one", O_RDWR);
  puts("-- reading and writing");
  show(read(fd, text, 4));
  show(lseek(fd, -2, SEEK_CUR));
  show(lseek(fd, -20, SEEK_CUR));
  show(lseek(fd, 2, SEEK_END));
  show(lseek(fd, 0, 99));
  show(pread(fd, text, 5, 3));
  show(pread(fd, text, 5, 300));
  show(pread(fd, text, 5, -1));
  show(lseek(fd, 0, SEEK_CUR));
  show(pwrite(fd, "XY", 2, 1));
  show(lseek(fd, 0, SEEK_SET));
  show(readv(fd, parts, 3));
  printf("%.3s %.4s %.8s\n", text, more, text + 8);
  show(writev(fd, parts, 2));
  show(preadv(fd, parts, 2, 2));
  show(pwritev(fd, parts, 2, 20));
  show(read(fd, 0, 1));
  show(read(fd, text, 0));
  show(write(fd, (void *)8, 1));
  show(readv(fd, parts, -1));
  show(ftruncate(fd, 4));
  content("one");
  show(ftruncate(fd, 9));
  show(ftruncate(fd, -1));
  content("one");
  show(truncate("one", 6));
  show(truncate("none", 6));
  content("one");
  show(pwrite(fd, "end", 3, 100000));
  show(lseek(fd, 0, SEEK_END));
  show(ftruncate(fd, 6));
#ifdef SYS__llseek
  long long at = -1;
  show_call("_llseek", syscall(SYS__llseek, fd, 1, 5, &at, SEEK_SET));
  printf("%lld\n", at);
  show_call("lseek", syscall(SYS_lseek, fd, 2, SEEK_SET));
  show_call("ftruncate", syscall(SYS_ftruncate, fd, 3));
  show_call("truncate", syscall(SYS_truncate, "one", 5));
#endif
  show(fsync(fd));
  show(fdatasync(fd));
  show(fsync(99));
  sync();
  show(flock(fd, LOCK_EX | LOCK_NB));
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  show(fcntl(fd, F_SETLK, &lock));
  lock.l_type = F_WRLCK;
  show(fcntl(fd, F_GETLK, &lock));
  printf("%d\n", lock.l_type);
  show(posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM));
  show(ioctl(fd, TIOCGWINSZ, text));
  show(close(fd));
  // More than is moved at a time.
  int size = 3000000;
  char *large = malloc(size), *back = malloc(size);
  for (int n = 0; n < size; n++) large[n] = n * 7;
  show(fd = open("large", O_RDWR | O_CREAT | O_TRUNC, 0600));
  show(write(fd, large, size));
  show(pread(fd, back, size, 0));
  show(memcmp(large, back, size));
  struct iovec halves[] = {{back, 1200000}, {back + 1200000, 1800000}};
  memset(back, 0, size);
  lseek(fd, 0, SEEK_SET);
  show(readv(fd, halves, 2));
  show(memcmp(large, back, size));
  close(fd);
  unlink("large");
}

static void descriptors(void) {
  int fd = open("one", O_RDWR), other;
  char c;
  puts("-- descriptors");
  show(other = dup(fd));
  show(lseek(fd, 3, SEEK_SET));
  show(lseek(other, 0, SEEK_CUR));
  show(dup3(fd, 40, O_CLOEXEC));
  show(fcntl(40, F_GETFD));
  show(fcntl(fd, F_GETFD));
  show(dup3(fd, fd, 0));
  show(dup2(fd, 41));
  show(dup2(fd, fd));
  show(dup2(99, 42));
  show(dup2(fd, 100000000));
  show(fcntl(fd, F_DUPFD, 100000000));
#ifdef SYS_dup2
  show_call("dup2", syscall(SYS_dup2, fd, 43));
#endif
  show(fcntl(fd, F_DUPFD, 50));
  show(fcntl(fd, F_DUPFD_CLOEXEC, 50));
  show(fcntl(51, F_GETFD));
  show(fcntl(51, F_SETFD, 0));
  show(fcntl(51, F_GETFD));
  show(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
  show(fcntl(fd, F_SETFL, O_APPEND));
  show(fcntl(other, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
  show(write(other, "+", 1));
  show(lseek(fd, 0, SEEK_CUR));
  show(fcntl(fd, 9999));
  show(syscall(SYS_close_range, 40, 60, 0));
  show(read(41, &c, 1));
  close(fd);
  close(other);
}

int main(int count, char **words) {
  umask(022);
  if (chdir(words[1])) return 1;
  if (words[2]) {
    strict();
    return 0;
  }
  opening();
  moving();
  descriptors();
  return 0;
}
