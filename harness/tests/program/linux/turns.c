// What must hold wherever a turn ends, and what depends on where it does.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile uint32_t word = 1, epoch, over;

static uint32_t load_exclusive(volatile uint32_t *at) {
  uint32_t value;
#ifdef __aarch64__
  __asm__ volatile("ldxr %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
#else
  __asm__ volatile("ldrex %0, [%1]" : "=r"(value) : "r"(at) : "memory");
#endif
  return value;
}
static uint32_t store_exclusive(volatile uint32_t *at, uint32_t value) {
  uint32_t failed;
#ifdef __aarch64__
  __asm__ volatile("stxr %w0, %w1, [%2]" : "=&r"(failed) : "r"(value), "r"(at) : "memory");
#else
  __asm__ volatile("strex %0, %1, [%2]" : "=&r"(failed) : "r"(value), "r"(at) : "memory");
#endif
  return failed;
}
// Time goes by in which nothing is stored.
static void idle(int rounds) {
  while (rounds--) __asm__ volatile("");
}

static void *toggle(void *argument) {
  while (!over) {
    word = 2;
    epoch++;
    word = 1;
  }
  return 0;
}

// A store that succeeds though another thread has stored in between: there is none.
static void exclusive(void) {
  pthread_t thread;
  int wrong = 0, right = 0;
  pthread_create(&thread, 0, toggle, 0);
  while (!epoch) ;
  for (int i = 0; i < 3000; i++) {
    uint32_t value = load_exclusive(&word), before = epoch;
    idle(100);
    uint32_t after = epoch;
    if (!store_exclusive(&word, value)) before == after ? right++ : wrong++;
  }
  over = 1;
  pthread_join(thread, 0);
  printf("exclusive %d %d\n", right > 0, wrong);
}

static int lost;
__attribute__((noinline)) static int next(int value) { return value + 1; }
static void *race(void *argument) {
  for (int i = 0; i < 2000; i++) {
    int value = lost;
    idle(3);
    lost = next(value);
  }
  return 0;
}
static void *race_and_print(void *argument) {
  race(0);
  for (int i = 0; i < 4; i++) {
    printf("%s%d ", (char *)argument, i);
    race(0);
  }
  return 0;
}
static void racy(void) {
  pthread_t threads[3];
  static char *names[] = {"a", "b", "c"};
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], 0, race_and_print, names[i]);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);
  printf("\nlost %d\n", 3 * 5 * 2000 - lost);
}

#ifdef __thumb2__
// Instructions of one IT block on two pages, where blocks of the emulator end.
__asm__(".text\n.balign 4096\n.thumb\n.space 4084\n.type straddle, %function\n.thumb_func\nstraddle:\n"
        "movs r1, #0\nmovs r2, #0\nmovs r3, #0\ncmp r0, #0\n"
        "ittet ne\naddne r1, #1\naddne r2, #2\nmoveq r3, #9\naddne r3, #4\n"
        "add r0, r1, r2\nadd r0, r3\nbx lr\n.size straddle, .-straddle\n");
extern int straddle(int);
static void *straddles(void *argument) {
  for (int i = 0; i < 20000; i++)
    if (straddle(1) != 7 || straddle(0) != 9) abort();
  return 0;
}
static void conditional(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], 0, straddles, 0);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);
  puts("conditional");
}
#endif

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, right = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
__attribute__((noinline)) static void crosses(pthread_mutex_t *first, pthread_mutex_t *second) {
  pthread_mutex_lock(first);
  pthread_barrier_wait(&both);
  pthread_mutex_lock(second);
  printf("never\n");
}
static void *other(void *argument) {
  crosses(&right, &left);
  return 0;
}

int main(int count, char **words) {
  pthread_t thread;
  const char *how = count > 1 ? words[1] : "";
  if (!strcmp(how, "racy")) return racy(), 0;
  if (!strcmp(how, "deadlock")) {
    pthread_barrier_init(&both, 0, 2);
    pthread_create(&thread, 0, other, 0);
    crosses(&left, &right);
  }
  exclusive();
#ifdef __thumb2__
  conditional();
#endif
  return 0;
}
