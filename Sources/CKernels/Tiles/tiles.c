// GEMM by tiles of 8 rows and 32 columns (AVX-512) or of 6 rows and 16 columns (AVX2).
//
// Goals, in order:
// 1. Each number is one chain of additions along the contraction: its bits do not depend on the
//    tile it lies in, nor on how many rows there are.
// 2. The left operand is read where it lies: rows are given by where they begin, in runs.
// 3. Speed: two loads and as many broadcasts as rows for twice as many multiplications of vectors.
#include "CKernels.h"
#include "../clones.h"
#include "shapes.h"

#if defined(__x86_64__) && defined(__clang__)
#include "pairs.h"

/// The sums in memory that a tile will be added to.
INLINE void fetch_sums(const ck_tiles *job, long row, long rows) {
  for (long r = 0; r < rows; r++) {
    const float *c = job->c + job->c_rows[row + r];
    __builtin_prefetch(c, 1);
    __builtin_prefetch(c + min_long(16, job->columns - 1), 1);
  }
}

// AVX-512.
#define ROWS WIDE_ROWS
#define VECTOR __m512
#define LANES 16
#define MM(name) _mm512_##name##_ps
#define MASK __mmask16
#define FIRST_OF(count) (__mmask16)((1u << (count)) - 1)
#define LOAD_SOME(mask, x) _mm512_maskz_loadu_ps(mask, x)
#define STORE_SOME(x, mask, values) _mm512_mask_storeu_ps(x, mask, values)

#define TARGET __attribute__((target("avx512f")))
#define TILED(name) float_##name
#define MULTIPLY(sum, a, b) _mm512_fmadd_ps(a, b, sum)
#define LINES 1
#define WORDS(line, stride) _mm512_loadu_ps(line)
#include "tile.h"

#define TARGET PAIRED
#define TILED(name) pair_##name
#define MULTIPLY(sum, a, b) _mm512_dpbf16_ps(sum, (__m512bh)(a), (__m512bh)(b))
#define LINES 2
#define WORDS(line, stride) paired(_mm512_loadu_ps(line), _mm512_loadu_ps(line + stride))
#include "tile.h"

#undef ROWS
#undef VECTOR
#undef LANES
#undef MM
#undef MASK
#undef FIRST_OF
#undef LOAD_SOME
#undef STORE_SOME

// AVX2.
__attribute__((target("avx2,fma"))) INLINE __m256i first_lanes(long count) {
  const __m256i lanes = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes);
}

#define ROWS NARROW_ROWS
#define VECTOR __m256
#define LANES 8
#define MM(name) _mm256_##name##_ps
#define MASK __m256i
#define FIRST_OF(count) first_lanes(count)
#define LOAD_SOME(mask, x) _mm256_maskload_ps(x, mask)
#define STORE_SOME(x, mask, values) _mm256_maskstore_ps(x, mask, values)

#define TARGET __attribute__((target("avx2,fma")))
#define TILED(name) narrow_##name
#define MULTIPLY(sum, a, b) _mm256_fmadd_ps(a, b, sum)
#define LINES 1
#define WORDS(line, stride) _mm256_loadu_ps(line)
#include "tile.h"

static int is_wide(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("x86-64-v4");
}

void ck_multiply_tiles(const ck_tiles *job) {
  if (job->bf16_pairs)
    pair_tiles(job);
  else if (is_wide())
    float_tiles(job);
  else
    narrow_tiles(job);
  if (job->streams) _mm_sfence();
}

int ck_has_tiles(int bf16_pairs) {
  __builtin_cpu_init();
  if (bf16_pairs) return is_wide() && __builtin_cpu_supports("avx512bf16");
  return is_wide() || __builtin_cpu_supports("x86-64-v3");
}

ck_tile_shape ck_shape_of_tiles(void) {
  ck_tile_shape wide = {WIDE_ROWS, WIDE_PANEL}, narrow = {NARROW_ROWS, NARROW_PANEL};
  return is_wide() ? wide : narrow;
}
#else
void ck_multiply_tiles(const ck_tiles *job) {
  (void)job;
  __builtin_trap();
}

int ck_has_tiles(int bf16_pairs) {
  (void)bf16_pairs;
  return 0;
}

ck_tile_shape ck_shape_of_tiles(void) {
  ck_tile_shape none = {NARROW_ROWS, NARROW_PANEL};
  return none;
}
#endif
