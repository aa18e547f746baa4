// Threads that wait for one another by files: pipes, poll, select and eventfd.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

enum { SIZE = 300000 };
static int ends[2], back[2], counter, hung;

static void *write_all(void *argument) {
  char *bytes = malloc(SIZE);
  for (int i = 0; i < SIZE; i++) bytes[i] = i * 7;
  // More than a pipe holds: it is written as a whole, in time.
  ssize_t count = write(ends[1], bytes, SIZE);
  close(ends[1]);
  free(bytes);
  return (void *)(intptr_t)count;
}

static void *answer(void *argument) {
  char text[64];
  ssize_t count;
  while ((count = read(ends[0], text, sizeof text)) > 0) {
    for (int i = 0; i < count; i++) text[i] ^= 0x20;
    write(back[1], text, count);
  }
  close(back[1]);
  return 0;
}

static void *add(void *argument) {
  for (uint64_t i = 1; i <= 100; i++) write(counter, &i, sizeof i);
  return 0;
}

static void *late(void *argument) {
  struct timespec moment = {0, 10000000};
  nanosleep(&moment, 0);
  write(ends[1], "x", 1);
  return 0;
}

static void note(int signal) { hung++; }
static void *block(void *argument) {
  char byte;
  ssize_t count = read(ends[0], &byte, 1);
  return (void *)(intptr_t)(count == -1 && errno == EINTR);
}

int main(int count, char **words) {
  pthread_t thread;
  void *result;
  pipe2(ends, O_CLOEXEC);
  pthread_create(&thread, 0, write_all, 0);
  static char bytes[5000];
  int all = 0, wrong = 0, got;
  while ((got = read(ends[0], bytes, sizeof bytes)) > 0)
    for (int i = 0; i < got; i++, all++) wrong += bytes[i] != (char)(all * 7);
  pthread_join(thread, &result);
  printf("read %d of %d, %d wrong, at the end %d\n", all, (int)(intptr_t)result, wrong, got);
  close(ends[0]);

  pipe(ends);
  pipe(back);
  pthread_create(&thread, 0, answer, 0);
  char text[64];
  for (int i = 0; i < 3; i++) {
    write(ends[1], "Hello", 5);
    read(back[0], text, 5);
    printf("%.5s ", text);
  }
  close(ends[1]);
  struct pollfd polled[2] = {{back[0], POLLIN, 0}, {-1, POLLIN, 5}};
  got = poll(polled, 2, -1);
  printf("poll %d %d %d end %zd\n", got, polled[0].revents, polled[1].revents, read(back[0], text, 1));
  pthread_join(thread, 0);
  close(ends[0]);

  pipe(ends);
  polled[0].fd = ends[0];
  got = poll(polled, 1, 1);
  printf("late %d %d", got, polled[0].revents);
  pthread_create(&thread, 0, late, 0);
  fd_set set, writes;
  FD_ZERO(&set);
  FD_ZERO(&writes);
  FD_SET(ends[0], &set);
  FD_SET(ends[1], &writes);
  struct timeval time = {0, 0};
  got = select(ends[1] + 1, &set, 0, 0, &time);
  printf(" %d %d", got, FD_ISSET(ends[0], &set));
  FD_SET(ends[0], &set);
  got = select(ends[1] + 1, &set, 0, 0, 0);
  printf(" %d %d", got, FD_ISSET(ends[0], &set));
  got = select(ends[1] + 1, &set, &writes, 0, 0);
  printf(" %d %d\n", got, select(-1, 0, 0, 0, 0));
  pthread_join(thread, 0);
  read(ends[0], text, 1);

  counter = eventfd(5, 0);
  uint64_t sum = 0, value;
  pthread_create(&thread, 0, add, 0);
  while (sum < 5055) read(counter, &value, sizeof value), sum += value;
  pthread_join(thread, 0);
  int semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
  got = 0;
  while (read(semaphore, &value, sizeof value) == 8) got += value;
  printf("event %d taken %d again %d\n", (int)sum, got, errno == EAGAIN);

  // Interrupted: with another mask meanwhile, and in the midst of reading.
  struct sigaction action = {.sa_handler = note};
  sigaction(SIGUSR1, &action, 0);
  sigset_t blocked, none;
  sigemptyset(&none);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &blocked, 0);
  raise(SIGUSR1);
  printf("masked %d", hung);
  got = ppoll(polled, 1, 0, &none);
  printf(" %d %d %d", got, errno == EINTR, hung);
  raise(SIGUSR1);
  struct timespec nothing = {0, 0};
  printf(" %d %d\n", ppoll(polled, 1, &nothing, 0), hung);
  pthread_sigmask(SIG_UNBLOCK, &blocked, 0);
  pthread_create(&thread, 0, block, 0);
  struct timespec moment = {0, 20000000};
  nanosleep(&moment, 0);
  pthread_kill(thread, SIGUSR1);
  pthread_join(thread, &result);
  printf("interrupted %d %d\n", (int)(intptr_t)result, hung);
  signal(SIGPIPE, SIG_IGN);
  close(ends[0]);
  printf("broken %d", write(ends[1], "x", 1) == -1 && errno == EPIPE);
  pipe2(ends, O_NONBLOCK);
  all = 0;
  while ((got = write(ends[1], bytes, 4096)) > 0) all += got;
  printf(" full %d %d\n", all, errno == EAGAIN);
  // What is told on standard input.
  polled[0].fd = 0;
  got = poll(polled, 1, -1);
  printf("input %d %d\n", got, polled[0].revents & POLLIN);
  fflush(stdout);
  if (count > 1 && !strcmp(words[1], "stuck")) {
    pipe(ends);
    pthread_create(&thread, 0, block, 0);
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    select(ends[0] + 1, &set, 0, 0, 0);
  }
  return 0;
}
