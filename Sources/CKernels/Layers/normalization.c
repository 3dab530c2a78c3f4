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

INLINE void normalize_rows(
    const float *x, long stride, long rows, long columns, const float *mean, const float *scale,
    const float *offset, int relu, float *y) {
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * stride;
    float *to = y + r * stride;
    INDEPENDENT
    for (long c = 0; c < columns; c++) {
      float value = (from[c] - mean[c]) * scale[c] + offset[c];
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

/// The gradient before ReLU: `gradient` where its output was above zero.
INLINE float gated(float gradient, int relu, const float *y, long i) {
  return !relu || y[i] > 0.f ? gradient : 0.f;
}

INLINE void add_gradients(
    const float *gradient, const float *x, const float *y, int relu, long stride, long rows,
    long columns, const float *mean, float *sum, float *product) {
  for (long r = 0; r < rows; r++) {
    const float *g_row = gradient + r * stride, *x_row = x + r * stride;
    const float *y_row = relu ? y + r * stride : 0;
    INDEPENDENT
    for (long c = 0; c < columns; c++) {
      float g = gated(g_row[c], relu, y_row, c);
      sum[c] += g;
      product[c] += g * (x_row[c] - mean[c]);
    }
  }
}

INLINE void gradient_sums(
    const float *gradient, const float *x, const float *y, int relu, long stride, long rows,
    long columns, const float *mean, float *sum, float *product) {
  float means[CK_BLOCK], sums[CK_BLOCK] = {0}, products[CK_BLOCK] = {0};
  long copies = copies_of(columns, stride), rest = rows / copies * copies * stride;
  repeat(mean, columns, copies, means);
  add_gradients(
      gradient, x, y, relu, copies * stride, rows / copies, copies * columns, means, sums,
      products);
  add_gradients(
      gradient + rest, x + rest, relu ? y + rest : 0, relu, stride, rows % copies, columns, means,
      sums, products);
  fold(sums, columns, copies);
  fold(products, columns, copies);
  memcpy(sum, sums, (size_t)columns * sizeof *sum);
  memcpy(product, products, (size_t)columns * sizeof *product);
}

CLONED void ck_gradient_sums(
    const float *gradient, const float *x, const float *y, long stride, long rows, long columns,
    const float *mean, float *sum, float *product) {
  if (y)
    gradient_sums(gradient, x, y, 1, stride, rows, columns, mean, sum, product);
  else
    gradient_sums(gradient, x, 0, 0, stride, rows, columns, mean, sum, product);
}

/// What belongs to each column in the gradient of normalisation.
typedef struct {
  const float *mean, *scale, *offset, *slope;
} column_terms;

INLINE void gradient_rows(
    const float *gradient, const float *x, const float *y, int relu, long stride, long rows,
    long columns, column_terms terms, float *dx) {
  const float *mean = terms.mean, *scale = terms.scale;
  const float *offset = terms.offset, *slope = terms.slope;
  for (long r = 0; r < rows; r++) {
    const float *g_row = gradient + r * stride, *x_row = x + r * stride;
    const float *y_row = relu ? y + r * stride : 0;
    float *to = dx + r * stride;
    INDEPENDENT
    for (long c = 0; c < columns; c++) {
      float g = gated(g_row[c], relu, y_row, c);
      to[c] = scale[c] * (g - offset[c] - slope[c] * (x_row[c] - mean[c]));
    }
  }
}

INLINE void normalize_gradient(
    const float *gradient, const float *x, const float *y, int relu, long stride, long rows,
    long columns, column_terms terms, float *dx) {
  long copies = copies_of(columns, stride), rest = rows / copies * copies * stride;
  if (copies == 1) {
    gradient_rows(gradient, x, y, relu, stride, rows, columns, terms, dx);
    return;
  }
  float means[WIDE], scales[WIDE], offsets[WIDE], slopes[WIDE];
  repeat(terms.mean, columns, copies, means);
  repeat(terms.scale, columns, copies, scales);
  repeat(terms.offset, columns, copies, offsets);
  repeat(terms.slope, columns, copies, slopes);
  column_terms wide = {means, scales, offsets, slopes};
  gradient_rows(
      gradient, x, y, relu, copies * stride, rows / copies, copies * columns, wide, dx);
  gradient_rows(
      gradient + rest, x + rest, relu ? y + rest : 0, relu, stride, rows % copies, columns, terms,
      dx + rest);
}

CLONED void ck_normalize_gradient(
    const float *gradient, const float *x, const float *y, long stride, long rows, long columns,
    const float *mean, const float *scale, const float *offset, const float *slope, float *dx) {
  column_terms terms = {mean, scale, offset, slope};
  if (y)
    normalize_gradient(gradient, x, y, 1, stride, rows, columns, terms, dx);
  else
    normalize_gradient(gradient, x, 0, 0, stride, rows, columns, terms, dx);
}
