#include "CKernels.h"
#include "../columns.h"

INLINE void add_deviations(
    const float *x, long stride, long rows, long columns, const float *center, float *sum,
    float *squares) {
  for (long r = 0; r < rows; r++) {
    const float *row = x + r * stride;
    INDEPENDENT
    for (long c = 0; c < columns; c++) {
      float deviation = row[c] - center[c];
      sum[c] += deviation;
      squares[c] += deviation * deviation;
    }
  }
}

CLONED void ck_moments(
    const float *x, long stride, long rows, long columns, float *guess, float *sum,
    float *squares) {
  float centers[CK_BLOCK], sums[CK_BLOCK] = {0}, products[CK_BLOCK] = {0};
  long copies = copies_of(columns, stride), rest = rows / copies * copies;
  ck_reduce_columns(CK_SUM, x, stride, rows, columns, guess);
  for (long c = 0; c < columns; c++) guess[c] /= (float)rows;
  repeat(guess, columns, copies, centers);
  add_deviations(
      x, copies * stride, rows / copies, copies * columns, centers, sums, products);
  add_deviations(x + rest * stride, stride, rows - rest, columns, centers, sums, products);
  fold(sums, columns, copies);
  fold(products, columns, copies);
  memcpy(sum, sums, (size_t)columns * sizeof *sum);
  memcpy(squares, products, (size_t)columns * sizeof *squares);
}

INLINE float normalized(float x, float mean, float scale, float offset) {
  return (x - mean) * scale + offset;
}

INLINE void normalize_rows(
    const float *x, long stride, long rows, long columns, const float *mean, const float *scale,
    const float *offset, int relu, float *y) {
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * stride;
    float *to = y + r * stride;
    INDEPENDENT
    for (long c = 0; c < columns; c++) {
      float value = normalized(from[c], mean[c], scale[c], offset[c]);
      to[c] = relu && value < 0.f ? 0.f : value;
    }
  }
}

INLINE void normalize(
    const float *x, long stride, long rows, long columns, const float *mean, const float *scale,
    const float *offset, int relu, float *y) {
  long copies = copies_of(columns, stride), rest = rows / copies * copies;
  if (copies == 1) {
    normalize_rows(x, stride, rows, columns, mean, scale, offset, relu, y);
    return;
  }
  float means[WIDE], scales[WIDE], offsets[WIDE];
  repeat(mean, columns, copies, means);
  repeat(scale, columns, copies, scales);
  repeat(offset, columns, copies, offsets);
  normalize_rows(
      x, copies * stride, rows / copies, copies * columns, means, scales, offsets, relu, y);
  normalize_rows(
      x + rest * stride, stride, rows - rest, columns, mean, scale, offset, relu,
      y + rest * stride);
}

CLONED void ck_normalize(
    const float *x, long stride, long rows, long columns, const float *mean, const float *scale,
    const float *offset, int relu, float *y) {
  if (relu)
    normalize(x, stride, rows, columns, mean, scale, offset, 1, y);
  else
    normalize(x, stride, rows, columns, mean, scale, offset, 0, y);
}

/// What belongs to each column.
typedef struct {
  const float *mean, *scale, *shift, *offset, *slope;
} column_terms;

/// Column c's gradient before ReLU: `gradient` where its output is above zero.
INLINE float gated(float gradient, int relu, float x, column_terms t, long c) {
  return !relu || normalized(x, t.mean[c], t.scale[c], t.shift[c]) > 0.f ? gradient : 0.f;
}

INLINE void add_gradients(
    const float *gradient, const float *x, int relu, long stride, long rows, long columns,
    column_terms terms, float *sum, float *product) {
  for (long r = 0; r < rows; r++) {
    const float *g_row = gradient + r * stride, *x_row = x + r * stride;
    INDEPENDENT
    for (long c = 0; c < columns; c++) {
      float g = gated(g_row[c], relu, x_row[c], terms, c);
      sum[c] += g;
      product[c] += g * (x_row[c] - terms.mean[c]);
    }
  }
}

INLINE void gradient_sums(
    const float *gradient, const float *x, int relu, long stride, long rows, long columns,
    column_terms terms, float *sum, float *product) {
  float means[CK_BLOCK], scales[CK_BLOCK], shifts[CK_BLOCK];
  float sums[CK_BLOCK] = {0}, products[CK_BLOCK] = {0};
  long copies = copies_of(columns, stride), rest = rows / copies * copies * stride;
  repeat(terms.mean, columns, copies, means);
  if (relu) repeat(terms.scale, columns, copies, scales);
  if (relu) repeat(terms.shift, columns, copies, shifts);
  column_terms wide = {means, scales, shifts, 0, 0};
  add_gradients(
      gradient, x, relu, copies * stride, rows / copies, copies * columns, wide, sums, products);
  add_gradients(
      gradient + rest, x + rest, relu, stride, rows % copies, columns, wide, sums, products);
  fold(sums, columns, copies);
  fold(products, columns, copies);
  memcpy(sum, sums, (size_t)columns * sizeof *sum);
  memcpy(product, products, (size_t)columns * sizeof *product);
}

CLONED void ck_gradient_sums(
    const float *gradient, const float *x, long stride, long rows, long columns, const float *mean,
    const float *scale, const float *shift, float *sum, float *product) {
  column_terms terms = {mean, scale, shift, 0, 0};
  if (shift)
    gradient_sums(gradient, x, 1, stride, rows, columns, terms, sum, product);
  else
    gradient_sums(gradient, x, 0, stride, rows, columns, terms, sum, product);
}

INLINE void gradient_rows(
    const float *gradient, const float *x, int relu, long stride, long rows, long columns,
    column_terms t, float *dx) {
  for (long r = 0; r < rows; r++) {
    const float *g_row = gradient + r * stride, *x_row = x + r * stride;
    float *to = dx + r * stride;
    INDEPENDENT
    for (long c = 0; c < columns; c++) {
      float g = gated(g_row[c], relu, x_row[c], t, c);
      to[c] = t.scale[c] * (g - t.offset[c] - t.slope[c] * (x_row[c] - t.mean[c]));
    }
  }
}

INLINE void normalize_gradient(
    const float *gradient, const float *x, int relu, long stride, long rows, long columns,
    column_terms terms, float *dx) {
  long copies = copies_of(columns, stride), rest = rows / copies * copies * stride;
  if (copies == 1) {
    gradient_rows(gradient, x, relu, stride, rows, columns, terms, dx);
    return;
  }
  float means[WIDE], scales[WIDE], shifts[WIDE], offsets[WIDE], slopes[WIDE];
  repeat(terms.mean, columns, copies, means);
  repeat(terms.scale, columns, copies, scales);
  if (relu) repeat(terms.shift, columns, copies, shifts);
  repeat(terms.offset, columns, copies, offsets);
  repeat(terms.slope, columns, copies, slopes);
  column_terms wide = {means, scales, shifts, offsets, slopes};
  gradient_rows(gradient, x, relu, copies * stride, rows / copies, copies * columns, wide, dx);
  gradient_rows(
      gradient + rest, x + rest, relu, stride, rows % copies, columns, terms, dx + rest);
}

CLONED void ck_normalize_gradient(
    const float *gradient, const float *x, long stride, long rows, long columns, const float *mean,
    const float *scale, const float *shift, const float *offset, const float *slope, float *dx) {
  column_terms terms = {mean, scale, shift, offset, slope};
  if (shift)
    normalize_gradient(gradient, x, 1, stride, rows, columns, terms, dx);
  else
    normalize_gradient(gradient, x, 0, stride, rows, columns, terms, dx);
}
