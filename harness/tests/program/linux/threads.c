// Threads of C: what each has for itself, and how they wait for one another. What is printed is the same in every order of turns.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 5, ROUNDS = 3000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static __thread int own = 40;
static __thread char block[3000] = "begin";
static int total, begun, spun, destroyed;
static atomic_int counted;
static _Atomic uint64_t wide;

static void begin(void) { begun++; }
static void destroy(void *value) { atomic_fetch_add((atomic_int *)&destroyed, (int)(intptr_t)value); }

static double mixed(int number) {
  double sum = number;
  for (int i = 1; i < 200; i++) sum = sum * 0.5 + i;
  return sum;
}

static void *work(void *argument) {
  int number = (int)(intptr_t)argument;
  pthread_once(&once, begin);
  pthread_setspecific(key, argument);
  own += number;
  block[number] = '!';
  double expected = mixed(number);
  for (int i = 0; i < ROUNDS; i++) {
    pthread_mutex_lock(&lock);
    total++;
    pthread_mutex_unlock(&lock);
    counted++;
    wide += (uint64_t)1 << 32;
    pthread_spin_lock(&spin);
    spun++;
    pthread_spin_unlock(&spin);
    // Registers of floating point are each thread's own.
    if (i % 100 == 0 && mixed(number) != expected) abort();
  }
  pthread_barrier_wait(&barrier);
  if (total != THREADS * ROUNDS) abort();
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 50; i++) {
    if (number == 1) {
      pthread_rwlock_wrlock(&shared);
      total++;
      pthread_rwlock_unlock(&shared);
    } else {
      pthread_rwlock_rdlock(&shared);
      int before = total;
      sched_yield();
      if (before != total) abort();
      pthread_rwlock_unlock(&shared);
    }
  }
  return (void *)(intptr_t)(own + strlen(block));
}

// A queue of four between makers and takers.
static int queue[4], queued, taken_sum, made;
static void *make(void *argument) {
  for (int i = 1; i <= 400; i++) {
    pthread_mutex_lock(&lock);
    while (queued == 4) pthread_cond_wait(&changed, &lock);
    queue[queued++] = i;
    made++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
  }
  return 0;
}
static void *take(void *argument) {
  for (;;) {
    pthread_mutex_lock(&lock);
    while (queued == 0) pthread_cond_wait(&changed, &lock);
    int got = queue[--queued];
    taken_sum += got;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (got < 0) return 0;
  }
}

static __thread volatile int handled;
static atomic_int ready, handled_all;
static void note(int signal) { handled++; handled_all++; }
static void *spinner(void *argument) {
  ready = 1;
  while (!handled) ;
  return (void *)(intptr_t)handled;
}
static void *waiter(void *argument) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  int got = 0;
  sigwait(&set, &got);
  return (void *)(intptr_t)got;
}
static void *sleeper(void *argument) {
  ready = 1;
  struct timespec time = {1000, 0}, rest = {0, 0};
  int result = nanosleep(&time, &rest);
  return (void *)(intptr_t)(result == -1 && errno == EINTR && rest.tv_sec >= 900 && rest.tv_sec < 1000);
}
static void *forever(void *argument) {
  pthread_cleanup_push((void (*)(void *))begin, 0);
  for (;;) pause();
  pthread_cleanup_pop(0);
  return 0;
}
static void *dies(void *argument) {
  pthread_mutex_lock(argument);
  return 0;
}

static void *detached(void *argument) {
  sem_post(argument);
  return 0;
}

static void *last(void *argument) {
  pthread_join(*(pthread_t *)argument, 0);
  puts("the first thread has ended");
  exit(7);
}

// A lock whose owner has ended, of which qemu-user knows nothing.
static void robust(void) {
  pthread_mutexattr_t attributes;
  pthread_mutex_t robust;
  pthread_t thread;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&robust, &attributes);
  pthread_create(&thread, 0, dies, &robust);
  pthread_join(thread, 0);
  printf("robust %d", pthread_mutex_lock(&robust) == EOWNERDEAD);
  printf(" %d", pthread_mutex_consistent(&robust));
  printf(" %d\n", pthread_mutex_lock(&robust) == EDEADLK);
}

int main(int count, char **words) {
  if (count > 1 && !strcmp(words[1], "robust")) {
    robust();
    return 0;
  }
  pthread_t threads[THREADS];
  void *result;
  long sum = 0;
  pthread_barrier_init(&barrier, 0, THREADS);
  pthread_spin_init(&spin, 0);
  pthread_key_create(&key, destroy);
  for (intptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, work, (void *)i);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], &result), sum += (long)(intptr_t)result;
  printf("total %d counted %d wide %llu spun %d begun %d own %d results %ld destroyed %d\n", total, counted,
         (unsigned long long)(wide >> 32), spun, begun, own, sum, destroyed);

  for (int i = 0; i < 2; i++) pthread_create(&threads[i], 0, make, 0), pthread_create(&threads[i + 2], 0, take, 0);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);
  for (int i = 0; i < 2; i++) {
    pthread_mutex_lock(&lock);
    while (queued == 4) pthread_cond_wait(&changed, &lock);
    // Behind all others.
    memmove(queue + 1, queue, queued++ * sizeof *queue);
    queue[0] = -1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
  }
  for (int i = 2; i < 4; i++) pthread_join(threads[i], 0);
  printf("made %d taken %d\n", made, taken_sum);

  // Signals for a thread, for whoever takes them, and in the midst of sleep.
  struct sigaction action = {.sa_handler = note};
  sigaction(SIGUSR1, &action, 0);
  pthread_create(&threads[0], 0, spinner, 0);
  while (!ready) sched_yield();
  pthread_kill(threads[0], SIGUSR1);
  pthread_join(threads[0], &result);
  printf("spinner %ld here %d\n", (long)(intptr_t)result, handled);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, 0);
  pthread_create(&threads[0], 0, waiter, 0);
  kill(getpid(), SIGUSR2);
  pthread_join(threads[0], &result);
  printf("waiter %d\n", (int)(intptr_t)result == SIGUSR2);
  ready = 0;
  pthread_create(&threads[0], 0, sleeper, 0);
  while (!ready) sched_yield();
  struct timespec moment = {0, 20000000};
  nanosleep(&moment, 0);
  pthread_kill(threads[0], SIGUSR1);
  pthread_join(threads[0], &result);
  printf("sleeper %ld handled %d\n", (long)(intptr_t)result, handled_all);
  kill(getpid(), SIGUSR1);
  printf("process %d %d\n", handled, handled_all);

  pthread_create(&threads[0], 0, forever, 0);
  pthread_cancel(threads[0]);
  pthread_join(threads[0], &result);
  printf("cancelled %d\n", result == PTHREAD_CANCELED);

  // Time that is over, by both clocks.
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  time.tv_nsec = (time.tv_nsec + 30000000) % 1000000000;
  time.tv_sec += time.tv_nsec < 30000000;
  pthread_mutex_lock(&lock);
  printf("timed %d", pthread_cond_timedwait(&changed, &lock, &time) == ETIMEDOUT);
  pthread_mutex_unlock(&lock);
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  clock_gettime(CLOCK_MONOTONIC, &time);
  printf(" %d", sem_clockwait(&semaphore, CLOCK_MONOTONIC, &time) == -1 && errno == ETIMEDOUT);
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  nanosleep(&moment, 0);
  clock_gettime(CLOCK_MONOTONIC, &after);
  long passed = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
  printf(" %d\n", passed >= moment.tv_nsec);

  pthread_attr_t made_so;
  pthread_attr_init(&made_so);
  pthread_attr_setdetachstate(&made_so, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&made_so, 256 * 1024);
  int failures = 0;
  for (int i = 0; i < 100; i++) {
    failures += pthread_create(&threads[0], &made_so, detached, &semaphore) != 0;
    if (i % 10 == 9) for (int j = 0; j < 10; j++) while (sem_wait(&semaphore)) ;
  }
  printf("detached %d\n", failures);

  char name[16] = "";
  prctl(PR_SET_NAME, "a name that is too long");
  prctl(PR_GET_NAME, name);
  pid_t thread = syscall(SYS_gettid);
  printf("name %s ids %d %d\n", name, thread == getpid(), syscall(SYS_tgkill, getpid(), thread + 5000, 0) == -1 && errno == ESRCH);
  // What futexes refuse.
  static int word = 3;
  printf("futex %d", syscall(SYS_futex, &word, 0, 4, 0) == -1 && errno == EAGAIN);
  printf(" %d", syscall(SYS_futex, (char *)&word + 1, 0, 3, 0) == -1 && errno == EINVAL);
  printf(" %d", syscall(SYS_futex, &word, 4, 1, 1, &total, 4) == -1 && errno == EAGAIN);
  // FUTEX_WAKE_OP: adds 5 to a word, and wakes those of it where that was 3.
  printf(" %ld %d", syscall(SYS_futex, &total, 5, 1, 1, &word, 1 << 28 | 0 << 24 | 5 << 12 | 3), word);
  printf(" %d\n", syscall(SYS_futex, &word, 0x4b, 3, 0, 0, 0) == -1);
  printf("clone %d\n", syscall(SYS_clone, 0x10000, 0, 0, 0, 0) == -1 && errno == EINVAL);
  fflush(stdout);

  static pthread_t first;
  first = pthread_self();
  if (count > 1 && !strcmp(words[1], "first")) {
    pthread_create(&threads[0], 0, last, &first);
    pthread_exit(0);
  }
  if (count > 1 && !strcmp(words[1], "exit")) _exit(3);
  return 0;
}
