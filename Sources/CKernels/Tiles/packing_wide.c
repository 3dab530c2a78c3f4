// Operands of the wide tiles, packed with the instructions of processors that have them.
#include "packing.h"

#if defined(__x86_64__) && defined(__clang__)
#include "pairs.h"

#define TARGET PAIRED

TARGET INLINE __mmask16 first_of(long count) {
  long taken = max_long(0, min_long(count, 16));
  return (__mmask16)((1u << taken) - 1);
}

// Whole vectors are moved without masks, which cost much on some processors.

/// 16 pairs of numbers that follow each other; `count` numbers, at most 32, are left.
TARGET INLINE void pack_rest(const float *x, long count, float *pairs) {
  __m512 low = _mm512_maskz_loadu_ps(first_of(count), x);
  __m512 high = _mm512_maskz_loadu_ps(first_of(count - 16), x + 16);
  __m512 words = (__m512)_mm512_cvtne2ps_pbh(high, low);
  _mm512_mask_storeu_ps(pairs, first_of((count + 1) / 2), words);
}

TARGET INLINE void pack_row(const float *x, long length, float *pairs) {
  long l = 0;
  for (; l + 32 <= length; l += 32) {
    __m512 low = _mm512_loadu_ps(x + l), high = _mm512_loadu_ps(x + l + 16);
    _mm512_storeu_ps(pairs + l / 2, (__m512)_mm512_cvtne2ps_pbh(high, low));
  }
  if (l < length) pack_rest(x + l, length - l, pairs + l / 2);
}

TARGET void ck_pack_rows(const float *a, long stride, long rows, long length, float *packed) {
  for (long r = 0; r < rows; r++) pack_row(a + r * stride, length, packed + r * ((length + 1) / 2));
}

/// 16 numbers under a mask, or zeros where there is no row.
TARGET INLINE __m512 numbers(const float *row, long offset, __mmask16 mask) {
  return row ? _mm512_maskz_loadu_ps(mask, row + offset) : _mm512_setzero_ps();
}

TARGET void ck_pack_pairs_lines(
    const float *b, long stride, long length, long columns, float *panel) {
  __mmask16 low = first_of(columns), high = first_of(columns - 16);
  long l = 0;
  if (columns == WIDE_PANEL)
    for (; l + 2 <= length; l += 2, panel += WIDE_PANEL) {
      const float *x = b + l * stride, *y = x + stride;
      _mm512_storeu_ps(panel, paired(_mm512_loadu_ps(x), _mm512_loadu_ps(y)));
      _mm512_storeu_ps(panel + 16, paired(_mm512_loadu_ps(x + 16), _mm512_loadu_ps(y + 16)));
    }
  for (; l < length; l += 2, panel += WIDE_PANEL) {
    const float *x = b + l * stride, *y = l + 1 < length ? x + stride : 0;
    _mm512_storeu_ps(panel, paired(numbers(x, 0, low), numbers(y, 0, low)));
    _mm512_storeu_ps(panel + 16, paired(numbers(x, 16, high), numbers(y, 16, high)));
  }
}

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl")))

/// `tiles` tiles side by side, at most four, of which the last may be narrower.
WIDE INLINE void pack_tiles(
    const float *a, const long *rows, long length, long columns, long tiles, float *packed) {
  __mmask16 low = (__mmask16)((1u << min_long(columns, 16)) - 1);
  __mmask16 high = (__mmask16)((1u << max_long(columns - 16, 0)) - 1);
  long tile = length * WIDE_ROWS;
  for (long l = 0; l < length; l++, packed += WIDE_ROWS) {
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

WIDE void ck_pack_wide_columns(
    const float *a, const long *rows, long length, long columns, float *packed) {
  for (long j = 0; j < columns; j += 4 * WIDE_ROWS) {
    long taken = min_long(columns - j, 4 * WIDE_ROWS);
    float *to = packed + j * length;
    switch ((taken + WIDE_ROWS - 1) / WIDE_ROWS) {
      case 1: pack_tiles(a + j, rows, length, taken, 1, to); break;
      case 2: pack_tiles(a + j, rows, length, taken, 2, to); break;
      case 3: pack_tiles(a + j, rows, length, taken, 3, to); break;
      default: pack_tiles(a + j, rows, length, taken, 4, to);
    }
  }
}

/// One or two tiles side by side of the rows' pairs.
TARGET INLINE void pack_tile_pairs(
    const float *a, const long *rows, long length, long columns, float *packed) {
  long words = (length + 1) / 2;
  __mmask16 mask = first_of(columns);
  for (long l = 0; l < words; l++, packed += WIDE_ROWS) {
    const float *x = a + rows[2 * l], *y = 2 * l + 1 < length ? a + rows[2 * l + 1] : 0;
    __m512 line = paired(numbers(x, 0, mask), numbers(y, 0, mask));
    _mm256_storeu_ps(packed, _mm512_castps512_ps256(line));
    if (columns > WIDE_ROWS)
      _mm256_storeu_pd(
          (double *)(packed + WIDE_ROWS * words), _mm512_extractf64x4_pd((__m512d)line, 1));
  }
}

TARGET void ck_pack_pairs_columns(
    const float *a, const long *rows, long length, long columns, float *packed) {
  for (long j = 0; j < columns; j += 2 * WIDE_ROWS)
    pack_tile_pairs(
        a + j, rows, length, min_long(columns - j, 2 * WIDE_ROWS),
        packed + j * ((length + 1) / 2));
}
#else
void ck_pack_wide_columns(
    const float *a, const long *rows, long length, long columns, float *packed) {
  (void)a, (void)rows, (void)length, (void)columns, (void)packed;
  __builtin_trap();
}
#endif
