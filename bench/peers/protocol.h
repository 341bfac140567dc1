/* What the peers in C and C++ share: the command line, latencies, and the one line of JSON at the end. */
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <pthread.h>

/* PROGRAM SCENARIO IN_FLIGHT COUNT BYTES CHILD [ARGUMENT...] */
struct Job {
  const char* scenario;
  size_t in_flight, count, bytes;
  char** child; /* argv, ended by a null pointer. */
};

static inline double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static inline int is(const struct Job* job, const char* scenario) { return strcmp(job->scenario, scenario) == 0; }

static void* wait_for_ever(void* unused) {
  for (;;) pause();
  return unused;
}

/* A big host: BENCH_TOUCH_MIB of memory touched in 4 KiB pages, BENCH_THREADS threads. */
static void grow_host(void) {
  const char* touched = getenv("BENCH_TOUCH_MIB");
  const char* threads = getenv("BENCH_THREADS");
  size_t bytes = touched == NULL ? 0 : (size_t)atol(touched) << 20;
  if (bytes != 0) {
    char* memory = (char*)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < bytes; at += 4096) memory[at] = 1;
  }
  for (int left = threads == NULL ? 0 : atoi(threads); left > 0; --left) {
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_ever, NULL);
  }
}

static inline struct Job read_job(int argc, char** argv) {
  if (argc < 6) {
    fprintf(stderr, "usage: %s SCENARIO IN_FLIGHT COUNT BYTES CHILD [ARGUMENT...]\n", argv[0]);
    exit(2);
  }
  grow_host();
  struct Job job = {argv[1], (size_t)atol(argv[2]), (size_t)atol(argv[3]), (size_t)atol(argv[4]), argv + 5};
  return job;
}

static int by_size(const void* a, const void* b) {
  const double difference = *(const double*)a - *(const double*)b;
  return difference < 0 ? -1 : difference > 0;
}

static inline void print_result(double rate, double* latencies_us, size_t count, double share) {
  double p50 = 0, p99 = 0;
  if (count != 0) {
    qsort(latencies_us, count, sizeof *latencies_us, by_size);
    p50 = latencies_us[count / 2];
    p99 = latencies_us[count * 99 / 100];
  }
  printf("{\"rate\": %.3f, \"p50_us\": %.3f, \"p99_us\": %.3f, \"share\": %.4f}\n", rate, p50, p99, share);
  fflush(stdout);
}

static inline void check(int done, const char* what) {
  if (done) return;
  perror(what);
  exit(1);
}
