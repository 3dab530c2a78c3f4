#include "CKernels.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

typedef struct {
  float *start[CK_SCRATCHES];
  size_t bytes[CK_SCRATCHES];
} regions;

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void release(void *owned) {
  regions *r = owned;
  for (int slot = 0; slot < CK_SCRATCHES; slot++) free(r->start[slot]);
  free(r);
}

static void create_key(void) { pthread_key_create(&key, release); }

static regions *regions_of_thread(void) {
  pthread_once(&once, create_key);
  regions *r = pthread_getspecific(key);
  if (r) return r;
  r = calloc(1, sizeof *r);
  if (r) pthread_setspecific(key, r);
  return r;
}

static float *huge_pages(size_t bytes) {
  void *start = aligned_alloc(HUGE_PAGE, bytes);
#ifdef MADV_HUGEPAGE
  if (start) madvise(start, bytes, MADV_HUGEPAGE);
#endif
  return start;
}

float *ck_scratch(int slot, long count) {
  regions *r = regions_of_thread();
  if (!r) return NULL;
  size_t bytes = (size_t)count * sizeof(float);
  if (r->start[slot] && r->bytes[slot] >= bytes) return r->start[slot];
  size_t rounded = (bytes / HUGE_PAGE + 1) * HUGE_PAGE;
  free(r->start[slot]);
  r->start[slot] = huge_pages(rounded);
  r->bytes[slot] = r->start[slot] ? rounded : 0;
  return r->start[slot];
}
