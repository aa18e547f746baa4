// What C programs ask Linux for, each with what it gives. The last argument says how it ends.
#define _GNU_SOURCE
#include <complex.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile int got, on_alternate;
static void *volatile where;
static char *page, alternate[65536];
static __thread int own = 42;
static int constructed;

__attribute__((constructor)) static void construct(void) { constructed = 5; }
__attribute__((destructor)) static void destruct(void) { puts("destructor"); }
static void at_exit(void) { puts("atexit"); }
static void note(int signal) { got = got * 100 + signal; }
static void jump(int signal) { siglongjmp(back, signal); }
static void mend(int signal, siginfo_t *info, void *context) {
  char here;
  got = signal;
  where = info->si_addr;
  on_alternate = &here >= alternate && &here < alternate + sizeof alternate;
  mprotect(page, 4096, PROT_READ | PROT_WRITE);
}
static int sum(int count, ...) {
  va_list list;
  va_start(list, count);
  int all = 0;
  while (count--) all += va_arg(list, int);
  va_end(list);
  return all;
}

static void signals(void) {
  struct sigaction action = {.sa_handler = note};
  sigset_t set, before;
  sigaction(SIGUSR1, &action, 0);
  raise(SIGUSR1);
  printf("raised %d\n", got);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, &before);
  got = 0;
  raise(SIGUSR1);
  raise(SIGUSR1);
  kill(getpid(), SIGUSR1);
  printf("blocked %d\n", got);
  sigpending(&set);
  printf("pending %d\n", sigismember(&set, SIGUSR1));
  sigprocmask(SIG_SETMASK, &before, 0);
  // One was for the thread, one for the process.
  printf("unblocked %d\n", got);

  page = mmap(0, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  sigaltstack(&stack, 0);
  struct sigaction mending = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGSEGV, &mending, 0);
  double kept = 1.25;
  __asm__ volatile("" : "+w"(kept));
  ((volatile char *)page)[100] = 7;
  printf("mended %d %d %d %d %g\n", got, where == page + 100, page[100], on_alternate, kept);
  static const int fatal[] = {SIGSEGV, SIGFPE, SIGILL, SIGTRAP};
  for (int i = 0; i < 4; i++) signal(fatal[i], jump);
  for (volatile int i = 0; i < 2; i++) {
    if (!sigsetjmp(back, 1)) *(volatile int *)16 = 1;
    else puts("jumped out");
  }
  if (!sigsetjmp(back, 1)) raise(SIGFPE);
  else puts("SIGFPE");
  if (!sigsetjmp(back, 1)) __builtin_trap();
  else puts("trap");
}

static void memory(void) {
  char *all = 0;
  for (int size = 1; size < 4000000; size += size / 2 + 100) {
    all = realloc(all, size);
    all[size - 1] = size;
  }
  printf("realloc %d\n", all[99]);
  free(all);
  for (int i = 0; i < 2000; i++) {
    void *some = malloc(i * 50);
    memset(some, i, i * 50);
    if (i % 3) free(some);
  }
  char *map = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  map[5] = 1, map[70000] = 2;
  munmap(map + 4096, 4096);
  char *moved = mremap(map + 8192, (1 << 20) - 8192, 1 << 21, MREMAP_MAYMOVE);
  printf("mremap %d %d\n", map[5], moved[70000 - 8192]);
  madvise(moved + 65536 - 8192, 8192, MADV_DONTNEED);
  printf("madvise %d\n", moved[70000 - 8192]);
  printf("EFAULT %d\n", write(1, (void *)-4096, 5) == -1 && errno == EFAULT);
}

static void files(void) {
  int ends[2];
  char text[10] = {0};
  pipe(ends);
  write(ends[1], "abc", 3);
  struct pollfd wanted = {ends[0], POLLIN, 0};
  printf("poll %d %d\n", poll(&wanted, 1, 1000), wanted.revents);
  printf("read %d %s\n", (int)read(ends[0], text, 10), text);
  printf("poll %d\n", poll(&wanted, 1, 3));
  close(ends[1]);
  printf("end %d\n", (int)read(ends[0], text, 10));
  signal(SIGPIPE, SIG_IGN);
  close(ends[0]);
  pipe(ends);
  close(ends[0]);
  printf("EPIPE %d\n", write(ends[1], "x", 1) == -1 && errno == EPIPE);
  printf("open %d %s\n", open("/nonexistent", O_RDONLY), strerror(errno));
  FILE *nowhere = fopen("/dev/null", "w");
  printf("null %d\n", fprintf(nowhere, "abc"));
  fclose(nowhere);
  struct stat about;
  printf("stat %d %d\n", stat("/dev/null", &about), S_ISCHR(about.st_mode) != 0);
  while (fgets(text, sizeof text, stdin)) printf("line %s", text);
  struct iovec parts[2] = {{"io", 2}, {"vec\n", 4}};
  fflush(stdout);
  writev(1, parts, 2);
}

static void timers(void) {
  struct itimerval often = {{0, 5000}, {0, 5000}}, once = {{0, 0}, {0, 20000}}, off = {{0, 0}, {0, 0}}, rest;
  struct sigaction action = {.sa_handler = note};
  sigaction(SIGALRM, &action, 0);
  got = 0;
  setitimer(ITIMER_REAL, &often, 0);
  while (got < 141414) ;
  getitimer(ITIMER_REAL, &rest);
  printf("often %d", rest.it_interval.tv_usec == 5000 && rest.it_value.tv_usec > 0 && rest.it_value.tv_usec <= 5000);
  setitimer(ITIMER_REAL, &off, 0);
  getitimer(ITIMER_REAL, &rest);
  got = 0;
  setitimer(ITIMER_REAL, &once, 0);
  struct timespec time = {100, 0}, left;
  int slept = nanosleep(&time, &left);
  printf(" off %ld once %d %d %d", (long)rest.it_value.tv_usec, got, slept == -1 && errno == EINTR, left.tv_sec == 99);
  alarm(100);
  printf(" alarm %u\n", alarm(0));
}

int main(int count, char **words) {
  printf("%d %s %s\n", count, words[count - 1], getenv("FOO"));
  printf("%d %d %d\n", sum(3, 1, 2, 3), constructed, own);
  long double product = 1;
  for (int i = 1; i < 30; i++) product *= i;
  double complex number = 1 + 2 * I;
  number *= number;
  printf("%.0Lf %Lg %g %g\n", product, product / 3, creal(number), cimag(number));
  signals();
  timers();
  memory();
  files();
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  usleep(2000);
  clock_gettime(CLOCK_MONOTONIC, &to);
  printf("slept %d\n", (to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec >= 2000000);
  printf("time %d\n", time(0) > 1700000000);
  unsigned char random[16];
  printf("random %d\n", getentropy(random, 16));
  printf("auxv %d %lu %d\n", getauxval(AT_RANDOM) != 0, getauxval(AT_PAGESZ), getauxval(AT_PHDR) != 0);
  struct utsname system;
  uname(&system);
  printf("uname %s\n", system.sysname);
  atexit(at_exit);
  fflush(stdout);
  for (int i = 0; i < 4; i++) signal((int[]){SIGSEGV, SIGFPE, SIGILL, SIGTRAP}[i], SIG_DFL);
  switch (*words[count - 1]) {
  case 'a': abort();
  case 's': *(volatile int *)16 = 1;
  case 't': __builtin_trap();
  case 'u': dprintf(dup(1), "dup\n"), _exit(300);
  }
  return 3;
}
