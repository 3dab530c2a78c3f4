// Matrix products by tiles of 8 rows and 32 columns.
//
// Goals, in order:
// 1. Each number is one chain of additions along the contraction: its bits do not depend on the tile it
//    lies in, nor on how many rows there are.
// 2. The left operand is read where it lies: rows are given by where they begin, in runs.
// 3. Speed: two loads and eight broadcasts for sixteen multiplications of vectors.
#include "CKernels.h"
#include "../clones.h"

#if defined(__x86_64__) && defined(__clang__)
#include <immintrin.h>

/// Two cache lines from each of some rows.
INLINE void fetch(ck_ahead *ahead) {
  for (long r = 0; r < ahead->rows; r++, ahead->start += ahead->stride) {
    __builtin_prefetch(ahead->start);
    __builtin_prefetch(ahead->start + 16);
  }
}

/// The sums in memory that a tile will be added to.
INLINE void fetch_sums(const ck_tiles *job, long row, long rows) {
  for (long r = 0; r < rows; r++) {
    const float *c = job->c + job->c_rows[row + r];
    __builtin_prefetch(c, 1);
    __builtin_prefetch(c + least(16, job->columns - 1), 1);
  }
}

#define TARGET __attribute__((target("avx512f")))
#define TILED(name) float_##name
#define MULTIPLY(sum, a, b) _mm512_fmadd_ps(a, b, sum)
#include "tile.h"
#undef TARGET
#undef TILED
#undef MULTIPLY

#define TARGET __attribute__((target("avx512f,avx512bf16")))
#define TILED(name) pair_##name
#define MULTIPLY(sum, a, b) _mm512_dpbf16_ps(sum, (__m512bh)(a), (__m512bh)(b))
#include "tile.h"

void ck_multiply_tiles(const ck_tiles *job) {
  if (job->pairs)
    pair_tiles(job);
  else
    float_tiles(job);
  if (job->streams) _mm_sfence();
}

int ck_has_tiles(int pairs) {
  __builtin_cpu_init();
  int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("x86-64-v4");
  return wide && (!pairs || __builtin_cpu_supports("avx512bf16"));
}
#else
void ck_multiply_tiles(const ck_tiles *job) {
  (void)job;
  __builtin_trap();
}

int ck_has_tiles(int pairs) {
  (void)pairs;
  return 0;
}
#endif
