// GEMM by tiles of 8 rows and 32 columns (AVX-512), of 6 rows and 16 columns (AVX2), or of 4 rows
// and 16 columns (arm64).
//
// Goals, in order:
// 1. Each number is one chain of additions along the contraction: its bits do not depend on the
//    tile it lies in, nor on how many rows there are.
// 2. The left operand is read where it lies: rows are given by where they begin, in runs.
// 3. Speed: two loads and as many broadcasts as rows for twice as many multiplications of vectors.
#include "CKernels.h"
#include "../clones.h"
#include "shapes.h"

#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__clang__)
/// The sums in memory that a tile will be added to.
INLINE void fetch_sums(const ck_tiles *job, long row, long rows) {
  for (long r = 0; r < rows; r++) {
    const float *c = job->c + job->c_rows[row + r];
    __builtin_prefetch(c, 1);
    __builtin_prefetch(c + min_long(16, job->columns - 1), 1);
  }
}

#if defined(__x86_64__)
#include "pairs.h"

/// Where a word is read, it can be brought to every lane.
#define WORD(a, r, l, u, step) MM(set1)((a)[r][((l) + (u)) * (step)])
#define ACROSS 2

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
// arm64.
#include "pairs.h"

/// Word u of the eight from l on, of row r: a lane of a vector of the row's words, or of the rows'
/// words where these are side by side. Instructions multiply by a lane, which saves broadcasts.
INLINE four word_of(const float *const *a, long r, long l, long u, long step) {
  const float *words = step == 1 ? a[r] + l + u / 4 * 4 : a[0] + (l + u) * step;
  return four_set1(four_loadu(words)[step == 1 ? u % 4 : r]);
}

#define ROWS NARROW_ROWS
#define VECTOR four
#define LANES 4
#define ACROSS 4
#define MM(name) four_##name
#define MASK long
#define FIRST_OF(count) (count)
#define LOAD_SOME(mask, x) load_some(mask, x)
#define STORE_SOME(x, mask, values) store_some(x, mask, values)
#define WORD(a, r, l, u, step) word_of(a, r, l, u, step)

#define TARGET
#define TILED(name) float_##name
#define MULTIPLY(sum, a, b) __builtin_elementwise_fma(a, b, sum)
#define LINES 1
#define WORDS(line, stride) four_loadu(line)
#include "tile.h"

#define TARGET PAIRED
#define TILED(name) pair_##name
#define MULTIPLY(sum, a, b) (four)vbfmmlaq_f32(sum, (bfloat16x8_t)(a), (bfloat16x8_t)(b))
#define LINES 2
#define SQUARES
#include "tile.h"

void ck_multiply_tiles(const ck_tiles *job) {
  if (job->bf16_pairs)
    pair_tiles(job);
  else
    float_tiles(job);
}

int ck_has_tiles(int bf16_pairs) { return !bf16_pairs || ck_has_bfloat16(); }

ck_tile_shape ck_shape_of_tiles(void) {
  ck_tile_shape shape = {NARROW_ROWS, NARROW_PANEL};
  return shape;
}
#endif
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
