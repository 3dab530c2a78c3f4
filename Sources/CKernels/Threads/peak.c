// Peak FLOP/s of a core: multiplications and additions when nothing waits for memory.
#include "CKernels.h"
#include "../clones.h"

#include <time.h>

enum { ROUNDS = 4096, SUMS = 12 };

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static volatile float result;

typedef float eight __attribute__((vector_size(32)));

/// Operations done: chains of multiply and add in vectors of eight. They grow by what is added, as
/// arm64's instruction overwrites the sum.
CLONED static double multiply_portably(void) {
  eight sums[SUMS] = {0};
  eight factor = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f}, term = factor + result;
  for (long i = 0; i < ROUNDS; i++)
    for (long s = 0; s < SUMS; s++) sums[s] += factor * term;
  for (long s = 1; s < SUMS; s++) sums[0] += sums[s];
  result = sums[0][0] * 0.f;
  return 2.0 * 8 * SUMS * ROUNDS;
}

#if defined(__x86_64__) && defined(__clang__)
#include <immintrin.h>

__attribute__((target("avx512f"))) static double multiply_floats(void) {
  __m512 sums[SUMS], factor = _mm512_set1_ps(0.5f + result), term = _mm512_set1_ps(0.25f);
  for (long s = 0; s < SUMS; s++) sums[s] = term;
  for (long i = 0; i < ROUNDS; i++)
#pragma clang loop unroll(full)
    for (long s = 0; s < SUMS; s++) sums[s] = _mm512_fmadd_ps(sums[s], factor, term);
  for (long s = 1; s < SUMS; s++) sums[0] = _mm512_add_ps(sums[0], sums[s]);
  result = _mm512_reduce_add_ps(sums[0]) * 0.f;
  return 2.0 * 16 * SUMS * ROUNDS;
}

static double multiply(void) {
  return __builtin_cpu_supports("x86-64-v4") ? multiply_floats() : multiply_portably();
}
#else
static double multiply(void) {
  return multiply_portably();
}
#endif

double ck_measure_peak(double seconds) {
  double best = 0, end = seconds_now() + seconds;
  do {
    double start = seconds_now(), operations = 0;
    for (int i = 0; i < 16; i++) operations += multiply();
    double rate = operations / (seconds_now() - start);
    if (rate > best) best = rate;
  } while (seconds_now() < end);
  return best;
}
