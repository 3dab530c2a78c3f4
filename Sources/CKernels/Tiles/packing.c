// Operands of products by tiles, in the order in which the tiles read them: floats as they are.
#include "packing.h"

/// The bits of x, of which the upper 16 are those of the nearest bfloat16 number; NaN stays NaN.
INLINE uint32_t rounded_bits(float x) {
  uint32_t bits = bits_of(x);
  uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  return (bits & 0x7fffffffu) > 0x7f800000u ? bits | 0x00400000u : rounded;
}

CLONED void ck_round_to_bfloat16(const float *x, float *y, long count) {
  for (long i = 0; i < count; i++) y[i] = float_of(rounded_bits(x[i]) & 0xffff0000u);
}

/// Each number in a pair with zero.
CLONED static void pack_single(const float *x, long count, float *pairs) {
  for (long i = 0; i < count; i++) pairs[i] = float_of(rounded_bits(x[i]) >> 16);
}

INLINE void pack_line(const float *b, long columns, float *line) {
  for (long j = 0; j < columns; j++) line[j] = b[j];
  for (long j = columns; j < CK_PANEL; j++) line[j] = 0.f;
}

CLONED static void pack_panel(
    const float *b, long stride, long length, long columns, float *panel) {
  if (columns == CK_PANEL)
    for (long l = 0; l < length; l++) pack_line(b + l * stride, CK_PANEL, panel + l * CK_PANEL);
  else
    for (long l = 0; l < length; l++) pack_line(b + l * stride, columns, panel + l * CK_PANEL);
}

void ck_pack_panel(
    int pairs, const float *b, int transposed, long stride, long length, long columns,
    float *panel) {
  if (pairs) {
    ck_pack_pairs_panel(b, transposed, stride, length, columns, panel);
  } else if (transposed) {
    if (columns < CK_PANEL) memset(panel, 0, (size_t)(length * CK_PANEL) * sizeof *panel);
    ck_transpose(b, stride, panel, CK_PANEL, columns, length);
  } else {
    pack_panel(b, stride, length, columns, panel);
  }
}

void ck_pack_columns(
    int pairs, const float *a, const long *rows, long length, long columns, float *packed) {
  if (pairs)
    ck_pack_pairs_columns(a, rows, length, columns, packed);
  else
    ck_pack_float_columns(a, rows, length, columns, packed);
}

static void pack_image_row(int pairs, const float *row, const ck_border *b, float *packed) {
  if (!pairs)
    memcpy(packed, row, (size_t)(b->width * b->channels) * sizeof *packed);
  else if (b->channels == 1)
    pack_single(row, b->width, packed);
  else if (b->channels % 2 == 0)
    ck_pack_rows(row, 0, 1, b->width * b->channels, packed);
  else
    ck_pack_rows(row, b->channels, b->width, b->channels, packed);
}

void ck_pack_images(
    int pairs, const float *x, const ck_border *b, long images, float *packed) {
  long words = pairs ? (b->channels + 1) / 2 : b->channels;
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
      pack_image_row(pairs, row, b, packed + left);
      memset(packed + line - right, 0, (size_t)right * sizeof *packed);
    }
}
