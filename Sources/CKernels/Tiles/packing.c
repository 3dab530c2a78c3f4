// GEMM operands, in the order in which the tiles read them: floats as they are.
#include "packing.h"

CLONED void ck_round_to_bfloat16(const float *x, float *y, long count) {
  for (long i = 0; i < count; i++) y[i] = float_of(rounded_bits(x[i]) & 0xffff0000u);
}

/// Each number in a pair with zero.
CLONED static void pack_single(const float *x, long count, float *pairs) {
  for (long i = 0; i < count; i++) pairs[i] = float_of(rounded_bits(x[i]) >> 16);
}

/// Lines before they are wanted.
enum { LINES_AHEAD = 10 };

/// The columns of one line, `width` for each panel.
INLINE void pack_line(const float *b, long columns, long width, long apart, float *panel) {
  for (; columns >= width; b += width, columns -= width, panel += apart)
    memcpy(panel, b, (size_t)width * sizeof *b);
  if (columns <= 0) return;
  for (long j = 0; j < columns; j++) panel[j] = b[j];
  for (long j = columns; j < width; j++) panel[j] = 0.f;
}

INLINE void pack_lines(
    const float *b, long stride, long length, long columns, long width, long apart,
    float *panels) {
  for (long l = 0; l < length; l++, b += stride, panels += width) {
    const float *ahead = b + min_long(LINES_AHEAD, length - 1 - l) * stride;
    for (long j = 0; j < columns; j += 16) __builtin_prefetch(ahead + j);
    pack_line(b, columns, width, apart, panels);
  }
}

CLONED static void pack_panels(
    const float *b, long stride, long length, long columns, long apart, float *panels) {
  if (ck_shape_of_tiles().columns == WIDE_PANEL)
    pack_lines(b, stride, length, columns, WIDE_PANEL, apart, panels);
  else
    pack_lines(b, stride, length, columns, NARROW_PANEL, apart, panels);
}

/// One panel of a transposed operand.
static void pack_transposed(
    const float *b, long stride, long length, long columns, long width, float *panel) {
  if (columns < width) memset(panel, 0, (size_t)(length * width) * sizeof *panel);
  ck_transpose(b, stride, panel, width, columns, length);
}

enum { BLOCK = 128 };

/// The same in pairs, by way of blocks of them.
static void pack_pairs_transposed(
    const float *b, long stride, long length, long columns, long width, float *panel) {
  float block[WIDE_PANEL * BLOCK];
  for (long first = 0; first < length; first += 2 * BLOCK) {
    long taken = min_long(2 * BLOCK, length - first), words = (taken + 1) / 2;
    float *to = panel + first / 2 * width;
    if (columns < width) memset(to, 0, (size_t)(words * width) * sizeof *to);
    for (long j = 0; j < columns; j++)
      ck_pack_rows(b + j * stride + first, 0, 1, taken, block + j * BLOCK);
    ck_transpose(block, BLOCK, to, width, columns, words);
  }
}

/// One panel.
static void pack_panel(
    int bf16_pairs, const float *b, int transposed, long stride, long length, long columns,
    long width, float *panel) {
  if (!bf16_pairs)
    pack_transposed(b, stride, length, columns, width, panel);
  else if (transposed)
    pack_pairs_transposed(b, stride, length, columns, width, panel);
  else
    ck_pack_pairs_lines(b, stride, length, columns, panel);
}

void ck_pack_panels(
    int bf16_pairs, const float *b, int transposed, long stride, long length, long columns,
    long apart, float *panels) {
  if (!bf16_pairs && !transposed) {
    pack_panels(b, stride, length, columns, apart, panels);
    return;
  }
  long width = ck_shape_of_tiles().columns;
  for (long j = 0; j < columns; j += width, panels += apart)
    pack_panel(
        bf16_pairs, b + (transposed ? j * stride : j), transposed, stride, length,
        min_long(columns - j, width), width, panels);
}

/// `tiles` tiles side by side of `columns` columns each.
INLINE void pack_narrow_tiles(
    const float *a, const long *rows, long length, long columns, long tiles, float *packed) {
  for (long l = 0; l < length; l++)
    for (long t = 0; t < tiles; t++)
      memcpy(
          packed + (t * length + l) * NARROW_ROWS, a + rows[l] + t * NARROW_ROWS,
          (size_t)columns * sizeof *a);
}

static void pack_narrow_columns(
    const float *a, const long *rows, long length, long columns, float *packed) {
  long j = 0;
  for (; j + 4 * NARROW_ROWS <= columns; j += 4 * NARROW_ROWS)
    pack_narrow_tiles(a + j, rows, length, NARROW_ROWS, 4, packed + j * length);
  for (; j + NARROW_ROWS <= columns; j += NARROW_ROWS)
    pack_narrow_tiles(a + j, rows, length, NARROW_ROWS, 1, packed + j * length);
  if (j < columns)
    pack_narrow_tiles(a + j, rows, length, columns - j, 1, packed + j * length);
}

void ck_pack_columns(
    int bf16_pairs, const float *a, const long *rows, long length, long columns, float *packed) {
  if (bf16_pairs)
    ck_pack_pairs_columns(a, rows, length, columns, packed);
  else if (ck_shape_of_tiles().rows == WIDE_ROWS)
    ck_pack_wide_columns(a, rows, length, columns, packed);
  else
    pack_narrow_columns(a, rows, length, columns, packed);
}

static void pack_image_row(int bf16_pairs, const float *row, const ck_border *b, float *packed) {
  if (!bf16_pairs)
    memcpy(packed, row, (size_t)(b->width * b->channels) * sizeof *packed);
  else if (b->channels == 1)
    pack_single(row, b->width, packed);
  else if (b->channels % 2 == 0)
    ck_pack_rows(row, 0, 1, b->width * b->channels, packed);
  else
    ck_pack_rows(row, b->channels, b->width, b->channels, packed);
}

void ck_pack_images(
    int bf16_pairs, const float *x, const ck_border *b, long images, float *packed) {
  long words = bf16_pairs ? (b->channels + 1) / 2 : b->channels;
  long line = b->outer_width * words, run = b->width * b->channels;
  long left = b->left * words, right = (b->outer_width - b->left - b->width) * words;
  for (long n = 0; n < images; n++)
    for (long p = 0; p < b->outer_height; p++, packed += line) {
      if (p < b->top || p >= b->top + b->height) {
        memset(packed, 0, (size_t)line * sizeof *packed);
        continue;
      }
      const float *row = x + (n * b->height + p - b->top) * run;
      memset(packed, 0, (size_t)left * sizeof *packed);
      pack_image_row(bf16_pairs, row, b, packed + left);
      memset(packed + line - right, 0, (size_t)right * sizeof *packed);
    }
}
