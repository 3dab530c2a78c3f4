// Operands of arm64's tiles of pairs, packed with the instructions of processors that have them.
#include "packing.h"

#if defined(__aarch64__) && defined(__clang__)
#include "pairs.h"

#define TARGET PAIRED

/// `count` numbers of a row, four at most, then zeros; zeros where there is no row.
TARGET INLINE four numbers(const float *row, long offset, long count) {
  if (!row || count <= 0) return four_setzero();
  return count >= 4 ? four_loadu(row + offset) : load_some(count, row + offset);
}

TARGET INLINE void pack_row(const float *x, long length, float *pairs) {
  long l = 0;
  for (; l + 8 <= length; l += 8)
    four_storeu(
        pairs + l / 2, (four)vcombine_u64(
                           (uint64x1_t)vcvt_bf16_f32((float32x4_t)four_loadu(x + l)),
                           (uint64x1_t)vcvt_bf16_f32((float32x4_t)four_loadu(x + l + 4))));
  for (; l < length; l += 4) {
    four pair = (four)narrowed(numbers(x, l, length - l));
    store_some(pairs + l / 2, min_long(2, (length - l + 1) / 2), pair);
  }
}

TARGET void ck_pack_rows(const float *a, long stride, long rows, long length, float *packed) {
  for (long r = 0; r < rows; r++) pack_row(a + r * stride, length, packed + r * ((length + 1) / 2));
}

/// Pairs of `columns` numbers of two rows, then zeros up to `width`: four at a time, whose places
/// are `apart` elements from each other.
TARGET INLINE void pack_line(
    const float *x, const float *y, long columns, long width, long apart, float *packed) {
  for (long j = 0; j < width; j += 4, packed += apart)
    four_storeu(packed, paired(numbers(x, j, columns - j), numbers(y, j, columns - j)));
}

TARGET void ck_pack_pairs_lines(
    const float *b, long stride, long length, long columns, float *panel) {
  for (long l = 0; l < length; l += 2, panel += NARROW_PANEL) {
    const float *x = b + l * stride, *y = l + 1 < length ? x + stride : 0;
    if (columns == NARROW_PANEL && y)
      pack_line(x, y, NARROW_PANEL, NARROW_PANEL, 4, panel);
    else
      pack_line(x, y, columns, NARROW_PANEL, 4, panel);
  }
}

TARGET void ck_pack_pairs_columns(
    const float *a, const long *rows, long length, long columns, float *packed) {
  long words = (length + 1) / 2;
  for (long l = 0; l < words; l++, packed += NARROW_ROWS) {
    const float *x = a + rows[2 * l], *y = 2 * l + 1 < length ? a + rows[2 * l + 1] : 0;
    long whole = y ? columns / 4 * 4 : 0;
    pack_line(x, y, whole, whole, words * NARROW_ROWS, packed);
    pack_line(
        x + whole, y ? y + whole : 0, columns - whole, columns - whole, words * NARROW_ROWS,
        packed + whole * words);
  }
}
#elif !defined(__x86_64__) || !defined(__clang__)
void ck_pack_rows(const float *a, long stride, long rows, long length, float *packed) {
  (void)a, (void)stride, (void)rows, (void)length, (void)packed;
  __builtin_trap();
}

void ck_pack_pairs_lines(
    const float *b, long stride, long length, long columns, float *panel) {
  (void)b, (void)stride, (void)length, (void)columns, (void)panel;
  __builtin_trap();
}

void ck_pack_pairs_columns(
    const float *a, const long *rows, long length, long columns, float *packed) {
  (void)a, (void)rows, (void)length, (void)columns, (void)packed;
  __builtin_trap();
}
#endif
