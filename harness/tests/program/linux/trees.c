// Calls about names of files, each with what it gives and what becomes of the files. The first argument is a directory of one's own.
#include "show.h"
#include <dirent.h>
#include <limits.h>
#include <sys/sysmacros.h>

static int order(const void *one, const void *other) { return strcmp(*(char **)one, *(char **)other); }
static void list(const char *path) {
  char *names[100];
  int count = 0;
  DIR *directory = opendir(path);
  if (!directory) { printf("%s: %s\n", path, strerror(errno)); return; }
  for (int pass = 0; pass < 2; pass++) {
    count = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
      asprintf(&names[count++], "%s/%d", entry->d_name, entry->d_type);
      if (entry->d_ino == 0) puts("no inode");
    }
    rewinddir(directory);
  }
  qsort(names, count, sizeof *names, order);
  for (int n = 0; n < count; n++) printf("%s ", names[n]);
  printf("are in %s\n", path);
  closedir(directory);
}

static void knowing(void) {
  struct stat st;
  struct statx stx;
  char text[PATH_MAX];
  puts("-- knowing");
  int fd = open("one", O_RDONLY);
  show(fstat(fd, &st));
  status("one", &st);
  show(stat("one", &st));
  status("one", &st);
  show(stat("none", &st));
  show(stat(".", &st));
  status(".", &st);
  show(symlink("one", "link"));
  show(lstat("link", &st));
  status("link", &st);
  show(stat("link", &st));
  status("link", &st);
  show(fstatat(fd, "", &st, AT_EMPTY_PATH));
  status("empty", &st);
  show(fstatat(fd, "x", &st, 0));
  show(fstatat(99, "x", &st, 0));
  show(statx(AT_FDCWD, "one", 0, STATX_BASIC_STATS, &stx));
  printf("%o %d %d %d\n", stx.stx_mode, (int)stx.stx_size, stx.stx_nlink, stx.stx_ino == st.st_ino);
  printf("%d\n", makedev(stx.stx_dev_major, stx.stx_dev_minor) == st.st_dev);
  show(statx(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx));
  printf("%o %d\n", stx.stx_mode, (int)stx.stx_size);
  memset(text, 0, sizeof text);
  show(readlink("link", text, 2));
  puts(text);
  show(readlink("link", text, 200));
  puts(text);
  show(readlink("one", text, 200));
  show(readlink("none", text, 200));
  show(readlinkat(AT_FDCWD, "link", text, 0));
  show(access("one", F_OK));
  show(access("one", R_OK | W_OK));
  show(access("one", X_OK));
  show(access("none", F_OK));
  show(access(".", X_OK));
  show(access("one", 64));
  show(faccessat(AT_FDCWD, "one", R_OK, AT_EACCESS));
  show(chmod("one", 0755));
  show(access("one", X_OK));
  show(fchmod(fd, 0600));
  show(chmod("none", 0600));
  show(chown("one", -1, -1));
  show(fchown(fd, getuid(), getgid()));
  struct timespec times[] = {{1000000001, 5}, {1000000002, 6}};
  show(utimensat(AT_FDCWD, "one", times, 0));
  show(stat("one", &st));
  printf("%d.%d %d.%d\n", (int)st.st_atime, (int)st.st_atim.tv_nsec, (int)st.st_mtime, (int)st.st_mtim.tv_nsec);
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_sec = 1000000003;
  show(futimens(fd, times));
  show(fstat(fd, &st));
  printf("%d %d\n", (int)st.st_atime, (int)st.st_mtime);
  show(utimensat(AT_FDCWD, "none", 0, 0));
  show(utimensat(AT_FDCWD, "one", 0, 0));
  show(unlink("link"));
  close(fd);
}

static void trees(const char *home) {
  struct stat st;
  char text[PATH_MAX];
  int fd;
  puts("-- directories");
  puts(getcwd(text, sizeof text));
  puts(getcwd(text, 2) ? "there" : strerror(errno));
  show(mkdir("sub", 0750));
  show(mkdir("sub", 0750));
  show(mkdir("none/sub", 0750));
  show(mkdirat(AT_FDCWD, "sub/deep/", 0700));
  show(mkdir("..", 0700));
  show(umask(027));
  show(mkdir("sub/masked", 0777));
  show(fd = open("sub/file", O_CREAT | O_WRONLY, 0666));
  close(fd);
  stat("sub/masked", &st);
  status("masked", &st);
  stat("sub/file", &st);
  status("file", &st);
  show(umask(0));
  show(fd = open("sub/all", O_CREAT | O_WRONLY, 0666));
  close(fd);
  stat("sub/all", &st);
  status("all", &st);
  show(umask(022));
  list(".");
  list("sub");
  list("one");
  show(chdir("sub"));
  puts(strcmp(getcwd(text, sizeof text), home) ? text : "home");
  show(open("one", O_RDONLY));
  show(fd = open("../one", O_RDONLY));
  close(fd);
  show(chdir("none"));
  show(chdir("file"));
  show(chdir(".."));
  show(fd = open("sub", O_RDONLY | O_DIRECTORY));
  show(fchdir(fd));
  show(chdir(home));
  show(openat(fd, "file", O_RDONLY));
  show(unlinkat(fd, "file", 0));
  show(unlinkat(fd, "file", 0));
  show(unlinkat(fd, "deep", 0));
  show(unlinkat(fd, "deep", AT_REMOVEDIR));
  show(unlinkat(fd, "deep", 12345));
  show(read(fd, text, 1));
  show(write(fd, text, 1));
  show(ftruncate(fd, 1));
  show(syscall(SYS_getdents64, fd, text, 4));
  show(syscall(SYS_getdents64, 0, text, 4));
  show(rename("sub/all", "moved"));
  show(rename("sub/all", "moved"));
  show(rename("moved", "sub"));
  show(renameat(AT_FDCWD, "moved", fd, "back"));
  show(syscall(SYS_renameat2, AT_FDCWD, "one", fd, "back", 1));
  show(syscall(SYS_renameat2, AT_FDCWD, "one", fd, "back", 2));
  content("one");
  show(link("sub/back", "hard"));
  show(link("sub/back", "hard"));
  show(stat("hard", &st));
  status("hard", &st);
  show(symlinkat("sub", AT_FDCWD, "way"));
  show(rmdir("way"));
  content("way/back");
  content("way/../sub/./back");
  list("sub/");
  show(close(fd));
  show(rmdir("sub"));
  show(rmdir("sub/."));
  show(unlink("."));
  show(rename("sub/back", "one"));
  show(unlink("sub"));
  show(rmdir("sub/masked"));
  show(rmdir("sub/masked"));
#ifdef SYS_rmdir
  puts("of old");
  show_call("mkdir", syscall(SYS_mkdir, "old", 0700));
  show_call("chdir", syscall(SYS_chdir, "old"));
  show_call("symlink", syscall(SYS_symlink, "a", "b"));
  show_call("readlink", syscall(SYS_readlink, "b", text, 9));
  show_call("open", syscall(SYS_open, "a", O_CREAT, 0600));
  show_call("link", syscall(SYS_link, "a", "c"));
  show_call("access", syscall(SYS_access, "c", 4));
  show_call("rename", syscall(SYS_rename, "c", "d"));
  show_call("chmod", syscall(SYS_chmod, "d", 0600));
  show_call("unlink", syscall(SYS_unlink, "d"));
  show_call("unlink", syscall(SYS_unlink, "a"));
  show_call("unlink", syscall(SYS_unlink, "b"));
  show_call("chdir", syscall(SYS_chdir, ".."));
  show_call("rmdir", syscall(SYS_rmdir, "old"));
#endif
}

static void streams(void) {
  char text[64], name[] = "/tmp/fileXXXXXX";
  puts("-- streams");
  FILE *file = fopen("stream", "w+");
  fprintf(file, "line %d\nline %d\n", 1, 2);
  rewind(file);
  fgets(text, sizeof text, file);
  printf("%ld %s", ftell(file), text);
  fseek(file, -3, SEEK_END);
  printf("%d\n", fgetc(file));
  fclose(file);
  file = tmpfile();
  printf("%d\n", file && fputs("temporary", file) >= 0 && !fseek(file, 4, SEEK_SET) && fgetc(file) == 'o');
  fclose(file);
  int fd = mkstemp(name);
  printf("%d\n", fd >= 0 && write(fd, "x", 1) == 1 && !unlink(name) && access(name, F_OK) < 0);
  close(fd);
  char path[PATH_MAX], *real = realpath("sub/../stream", path);
  puts(real ? real : strerror(errno));
  show(remove("stream"));
}

int main(int count, char **words) {
  umask(022);
  if (chdir(words[1])) return 1;
  close(open("one", O_CREAT, 0640));
  knowing();
  trees(words[1]);
  streams();
  return 0;
}
