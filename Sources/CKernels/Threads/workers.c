// Threads that wait for a job, take its pieces one after another, and wait again.
//
// Goals, in order:
// 1. The caller returns when all pieces are done, and never waits for a thread that has not begun.
// 2. A waiting thread looks around for some microseconds and then sleeps.
#include "CKernels.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { MOST_THREADS = 256, SPINS = 2000 };

static struct {
  pthread_mutex_t caller;  // held by the thread whose job runs, or that changes the count
  pthread_mutex_t lock;    // guards what follows, up to `next`
  pthread_cond_t posted, finished;
  int open, stopping;  // `open`: threads may still join the job
  atomic_long active;  // threads in the job, beside the caller
  atomic_ulong jobs;   // how many there have been
  ck_body body;
  void *context;
  long pieces;
  atomic_long next;  // the first piece nobody has taken
  atomic_long count;  // threads with the caller
  pthread_t threads[MOST_THREADS];
} pool = {
    .caller = PTHREAD_MUTEX_INITIALIZER,
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .posted = PTHREAD_COND_INITIALIZER,
    .finished = PTHREAD_COND_INITIALIZER,
    .count = 1,
};

typedef struct {
  long number;
  unsigned long jobs;  // that were posted before it started
} start_of_worker;

/// The number of this thread, 0 outside the pool.
static _Thread_local long worker_number;

/// Some nanoseconds. On most arm64 processors `yield` takes no time; `isb` takes some, as `pause`
/// does (github.com/rust-lang/rust/pull/84725).
static void rest(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

static void take_pieces(void) {
  for (;;) {
    long piece = atomic_fetch_add(&pool.next, 1);
    if (piece >= pool.pieces) return;
    pool.body(pool.context, piece, worker_number);
  }
}

static void wait_for_job(unsigned long seen) {
  for (int i = 0; i < SPINS && atomic_load(&pool.jobs) == seen; i++) rest();
  pthread_mutex_lock(&pool.lock);
  while (atomic_load(&pool.jobs) == seen) pthread_cond_wait(&pool.posted, &pool.lock);
}

static void leave_job(void) {
  pthread_mutex_lock(&pool.lock);
  if (atomic_fetch_sub(&pool.active, 1) == 1) pthread_cond_signal(&pool.finished);
  pthread_mutex_unlock(&pool.lock);
}

static void *work(void *start) {
  unsigned long seen = ((start_of_worker *)start)->jobs;
  worker_number = ((start_of_worker *)start)->number;
  free(start);
  for (;;) {
    wait_for_job(seen);  // returns with the lock
    seen = atomic_load(&pool.jobs);
    int stopping = pool.stopping, joins = pool.open && !stopping;
    if (joins) atomic_fetch_add(&pool.active, 1);
    pthread_mutex_unlock(&pool.lock);
    if (stopping) return NULL;
    if (!joins) continue;
    take_pieces();
    leave_job();
  }
}

static void post(void) {
  atomic_fetch_add(&pool.jobs, 1);
  pthread_cond_broadcast(&pool.posted);
  pthread_mutex_unlock(&pool.lock);
}

static void open_job(long pieces, ck_body body, void *context) {
  pthread_mutex_lock(&pool.lock);
  pool.pieces = pieces, pool.body = body, pool.context = context;
  atomic_store(&pool.next, 0);
  pool.open = 1;
  post();
}

static void close_job(void) {
  pthread_mutex_lock(&pool.lock);
  pool.open = 0;
  pthread_mutex_unlock(&pool.lock);
  for (int i = 0; i < SPINS && atomic_load(&pool.active) > 0; i++) rest();
  pthread_mutex_lock(&pool.lock);
  while (atomic_load(&pool.active) > 0) pthread_cond_wait(&pool.finished, &pool.lock);
  pthread_mutex_unlock(&pool.lock);
}

void ck_for_each(long pieces, ck_body body, void *context) {
  int alone = pieces < 2 || atomic_load(&pool.count) == 1;
  if (alone || pthread_mutex_trylock(&pool.caller) != 0) {
    for (long piece = 0; piece < pieces; piece++) body(context, piece, worker_number);
    return;
  }
  open_job(pieces, body, context);
  take_pieces();
  close_job();
  pthread_mutex_unlock(&pool.caller);
}

long ck_worker_count(void) { return atomic_load(&pool.count); }

static void stop_all(void) {
  pthread_mutex_lock(&pool.lock);
  pool.stopping = 1;
  post();
  long count = atomic_load(&pool.count);
  for (long i = 1; i < count; i++) pthread_join(pool.threads[i], NULL);
  pool.stopping = 0;
  atomic_store(&pool.count, 1);
}

static int start_worker(long number) {
  start_of_worker *start = malloc(sizeof *start);
  if (!start) return 0;
  start->number = number, start->jobs = atomic_load(&pool.jobs);
  if (pthread_create(&pool.threads[number], NULL, work, start) == 0) return 1;
  free(start);
  return 0;
}

long ck_set_worker_count(long threads) {
  long wanted = threads < 1 ? 1 : threads > MOST_THREADS ? MOST_THREADS : threads;
  pthread_mutex_lock(&pool.caller);
  stop_all();
  long number = 1;
  while (number < wanted && start_worker(number)) number++;
  atomic_store(&pool.count, number);
  pthread_mutex_unlock(&pool.caller);
  return number;
}
