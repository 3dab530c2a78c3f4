// Operands of products by tiles, packed with the instructions of processors that have tiles.
#include "CKernels.h"
#include "clones.h"

#if defined(__x86_64__) && defined(__clang__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

TARGET INLINE __mmask16 first_of(long count) {
  long taken = greatest(0, least(count, 16));
  return (__mmask16)((1u << taken) - 1);
}

/// 16 pairs of numbers that follow each other; `count` numbers are left.
TARGET INLINE void pack_run(const float *x, long count, float *pairs) {
  __m512 low = _mm512_maskz_loadu_ps(first_of(count), x);
  __m512 high = _mm512_maskz_loadu_ps(first_of(count - 16), x + 16);
  __m512 words = (__m512)_mm512_cvtne2ps_pbh(high, low);
  _mm512_mask_storeu_ps(pairs, first_of((count + 1) / 2), words);
}

TARGET void ck_pack_rows(const float *a, long stride, long rows, long length, float *packed) {
  for (long r = 0; r < rows; r++) {
    const float *row = a + r * stride;
    float *to = packed + r * ((length + 1) / 2);
    for (long l = 0; l < length; l += 32) pack_run(row + l, length - l, to + l / 2);
  }
}

/// 16 pairs of numbers from two rows.
TARGET INLINE __m512 paired(const float *first, const float *second, __mmask16 mask) {
  const __m512i order = _mm512_set_epi16(
      31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4,
      19, 3, 18, 2, 17, 1, 16, 0);
  __m512 low = _mm512_maskz_loadu_ps(mask, first);
  __m512 high = second ? _mm512_maskz_loadu_ps(mask, second) : _mm512_setzero_ps();
  __m512i words = (__m512i)_mm512_cvtne2ps_pbh(high, low);
  return (__m512)_mm512_permutexvar_epi16(order, words);
}

TARGET static void pack_panel(
    const float *b, long stride, long length, long columns, float *panel) {
  __mmask16 low = first_of(columns), high = first_of(columns - 16);
  for (long l = 0; l < length; l += 2, panel += CK_PANEL) {
    const float *first = b + l * stride, *second = l + 1 < length ? first + stride : 0;
    _mm512_storeu_ps(panel, paired(first, second, low));
    _mm512_storeu_ps(panel + 16, paired(first + 16, second ? second + 16 : 0, high));
  }
}

enum { BLOCK = 128 };

/// By way of blocks of pairs.
TARGET static void pack_transposed(
    const float *b, long stride, long length, long columns, float *panel) {
  float block[CK_PANEL * BLOCK];
  for (long first = 0; first < length; first += 2 * BLOCK) {
    long numbers = least(2 * BLOCK, length - first), words = (numbers + 1) / 2;
    float *to = panel + first / 2 * CK_PANEL;
    if (columns < CK_PANEL) memset(to, 0, (size_t)(words * CK_PANEL) * sizeof *to);
    for (long j = 0; j < columns; j++)
      for (long l = 0; l < numbers; l += 32)
        pack_run(b + j * stride + first + l, numbers - l, block + j * BLOCK + l / 2);
    ck_transpose(block, BLOCK, to, CK_PANEL, columns, words);
  }
}

void ck_pack_pairs_panel(
    const float *b, int transposed, long stride, long length, long columns, float *panel) {
  if (transposed)
    pack_transposed(b, stride, length, columns, panel);
  else
    pack_panel(b, stride, length, columns, panel);
}

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl")))

/// `tiles` tiles side by side, at most four, of which the last may be narrower.
WIDE INLINE void pack_tiles(
    const float *a, const long *rows, long length, long columns, long tiles, float *packed) {
  __mmask16 low = (__mmask16)((1u << least(columns, 16)) - 1);
  __mmask16 high = (__mmask16)((1u << greatest(columns - 16, 0)) - 1);
  long tile = length * CK_TILE_ROWS;
  for (long l = 0; l < length; l++, packed += CK_TILE_ROWS) {
    __m512 line = _mm512_maskz_loadu_ps(low, a + rows[l]);
    _mm256_storeu_ps(packed, _mm512_castps512_ps256(line));
    if (tiles > 1)
      _mm256_storeu_pd(
          (double *)(packed + tile), _mm512_extractf64x4_pd((__m512d)line, 1));
    if (tiles < 3) continue;
    line = _mm512_maskz_loadu_ps(high, a + rows[l] + 16);
    _mm256_storeu_ps(packed + 2 * tile, _mm512_castps512_ps256(line));
    if (tiles > 3)
      _mm256_storeu_pd(
          (double *)(packed + 3 * tile), _mm512_extractf64x4_pd((__m512d)line, 1));
  }
}

WIDE void ck_pack_float_columns(
    const float *a, const long *rows, long length, long columns, float *packed) {
  for (long j = 0; j < columns; j += 4 * CK_TILE_ROWS) {
    long taken = least(columns - j, 4 * CK_TILE_ROWS);
    float *to = packed + j * length;
    switch ((taken + CK_TILE_ROWS - 1) / CK_TILE_ROWS) {
      case 1: pack_tiles(a + j, rows, length, taken, 1, to); break;
      case 2: pack_tiles(a + j, rows, length, taken, 2, to); break;
      case 3: pack_tiles(a + j, rows, length, taken, 3, to); break;
      default: pack_tiles(a + j, rows, length, taken, 4, to);
    }
  }
}

/// Two tiles side by side of the rows' pairs.
TARGET void ck_pack_pairs_columns(
    const float *a, const long *rows, long length, long columns, float *packed) {
  long words = (length + 1) / 2;
  for (long j = 0; j < columns; j += 2 * CK_TILE_ROWS) {
    float *to = packed + j * words;
    __mmask16 mask = first_of(columns - j);
    int both = columns - j > CK_TILE_ROWS;
    for (long l = 0; l < words; l++, to += CK_TILE_ROWS) {
      const float *second = 2 * l + 1 < length ? a + rows[2 * l + 1] + j : 0;
      __m512 line = paired(a + rows[2 * l] + j, second, mask);
      _mm256_storeu_ps(to, _mm512_castps512_ps256(line));
      if (both)
        _mm256_storeu_ps(
            to + CK_TILE_ROWS * words, _mm256_castpd_ps(_mm512_extractf64x4_pd((__m512d)line, 1)));
    }
  }
}
#else
void ck_pack_rows(const float *a, long stride, long rows, long length, float *packed) {
  (void)a, (void)stride, (void)rows, (void)length, (void)packed;
  __builtin_trap();
}

void ck_pack_pairs_panel(
    const float *b, int transposed, long stride, long length, long columns, float *panel) {
  (void)b, (void)transposed, (void)stride, (void)length, (void)columns, (void)panel;
  __builtin_trap();
}

void ck_pack_float_columns(
    const float *a, const long *rows, long length, long columns, float *packed) {
  (void)a, (void)rows, (void)length, (void)columns, (void)packed;
  __builtin_trap();
}

void ck_pack_pairs_columns(
    const float *a, const long *rows, long length, long columns, float *packed) {
  (void)a, (void)rows, (void)length, (void)columns, (void)packed;
  __builtin_trap();
}
#endif
