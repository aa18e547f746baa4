#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int order;
__attribute__((constructor)) static void first(void) { order = 1, puts("first"); }
__attribute__((destructor)) static void last(void) { puts("last"); }
static void leaving(void) { puts("leaving"); }

/* Asks for an operation without the C library. */
static int ask(int operation, void *parameter) {
  register int r0 asm("r0") = operation;
  register void *r1 asm("r1") = parameter;
#if __ARM_ARCH_PROFILE == 'M'
  asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
#elif defined __thumb__
  asm volatile("svc 0xab" : "+r"(r0) : "r"(r1) : "memory", "lr");
#else
  asm volatile("svc 0x123456" : "+r"(r0) : "r"(r1) : "memory", "lr");
#endif
  return r0;
}

static void numbers(void) {
  int number;
  char word[20];
  while (scanf("%d %19s", &number, word) == 2) printf("%d %s\n", number * 2, word);
}

static void memory(void) {
  unsigned total = 0;
  for (void *part; (part = malloc(1 << 20)); total++) memset(part, 1, 1 << 20);
  printf("%d %d\n", total > 16 && total < 64, errno == ENOMEM);
}

static void files(void) {
  char line[99] = "";
  FILE *file = fopen("in.txt", "r");
  fgets(line, sizeof line, file), fseek(file, 0, SEEK_END);
  printf("%s%ld\n", line, ftell(file));
  fclose(file);
  printf("%d %d\n", !fopen("../secret", "r"), errno == ENOENT);
  file = fopen("out.txt", "w");
  if (!file) {
    printf("%d\n", errno);
    return;
  }
  fputs("written\n", file), fclose(file);
  file = fopen("out.txt", "a+");
  fputs("more\n", file), rewind(file);
  while (fgets(line, sizeof line, file)) printf("%s", line);
  fclose(file);
  /* newlib's own rename makes a link, which semihosting does not know. */
  int renamed = ask(0x0f, (void *[]){"out.txt", (void *)7, "renamed.txt", (void *)11}), removed = remove("in.txt");
  printf("%d %d %d %d\n", renamed, removed, remove("in.txt") != 0, isatty(1));
}

static void operations(void) {
  int number = ask(0x77, 0);
  printf("%d ", number);
  void *command[] = {"true", (void *)4};
  number = ask(0x12, command);
  printf("%d %d\n", number, ask(0x13, 0));
  unsigned long ticks[2] = {0, 9};
  number = ask(0x30, ticks);
  printf("%d %d %d %d\n", number, ticks[0] > 0, ask(0x31, 0) > 1000, ask(0x11, 0) > 1000000000);
  char name[64];
  void *block[] = {name, (void *)7, (void *)sizeof name};
  number = ask(0x0d, block);
  printf("%d %s %d\n", number, name, ask(0x0d, (void *[]){name, (void *)7, (void *)3}));
  int handle = ask(1, (void *[]){":semihosting-features", 0, (void *)21});
  number = ask(0x0c, &handle);
  char features[9] = "";
  int rest = ask(6, (void *[]){(void *)handle, features, (void *)8});
  printf("%d %d %.4s%d\n", number, rest, features, features[4]);
  int seeks = ask(0x0a, (void *[]){(void *)handle, (void *)3});
  rest = ask(6, (void *[]){(void *)handle, features, (void *)1});
  printf("%d %d %c %d\n", seeks, rest, features[0], ask(9, &handle));
  number = ask(2, &handle);
  printf("%d %d %d\n", number, ask(2, &handle), ask(8, &(int){-5}));
  ask(4, "debug\n"), ask(3, "!");
}

int main(int count, char **words) {
  for (int n = 2; n < count; n++) printf("<%s>", words[n]);
  printf(" %d %.3f %lld\n", order, 1.5, 1234567890123LL);
  numbers();
  atexit(leaving);
  const char *what = words[1];
  if (!strcmp(what, "abort")) abort();
  if (!strcmp(what, "wild")) *(volatile int *)0xdead0000 = 1;
  if (!strcmp(what, "spin")) for (;;);
  if (!strcmp(what, "print")) for (;;) puts("more and more");
  if (!strcmp(what, "memory")) memory();
  if (!strcmp(what, "files")) files();
  if (!strcmp(what, "operations")) operations();
  return 42;
}
