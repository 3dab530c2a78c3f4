// Passes over memory that several operations share.
#include "../columns.h"
#include "../functions.h"

INLINE void add_bias_rows(
    const float *x, const float *bias, long rows, long columns, int relu, float *y) {
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * columns;
    float *to = y + r * columns;
    INDEPENDENT
    for (long c = 0; c < columns; c++) {
      float value = from[c] + bias[c];
      to[c] = relu && value < 0.f ? 0.f : value;
    }
  }
}

INLINE void add_bias(
    const float *x, const float *bias, long rows, long columns, int relu, float *y) {
  long copies = copies_of(columns, columns);
  if (copies == 1) {
    add_bias_rows(x, bias, rows, columns, relu, y);
    return;
  }
  float biases[WIDE];
  long done = rows / copies * copies;
  repeat(bias, columns, copies, biases);
  add_bias_rows(x, biases, rows / copies, copies * columns, relu, y);
  add_bias_rows(x + done * columns, bias, rows - done, columns, relu, y + done * columns);
}

CLONED void ck_add_bias(
    const float *x, const float *bias, long rows, long columns, int relu, float *y) {
  if (relu)
    add_bias(x, bias, rows, columns, 1, y);
  else
    add_bias(x, bias, rows, columns, 0, y);
}

INLINE void gate_rows(
    const float *gradient, const float *y, long stride, long rows, long columns, int writes,
    float *dx, float *sums) {
  for (long r = 0; r < rows; r++) {
    const float *g_row = gradient + r * stride, *y_row = y + r * stride;
    float *to = writes ? dx + r * stride : 0;
    INDEPENDENT
    for (long c = 0; c < columns; c++) {
      float g = y_row[c] > 0.f ? g_row[c] : 0.f;
      if (writes) to[c] = g;
      sums[c] += g;
    }
  }
}

INLINE void gated_sums(
    const float *gradient, const float *y, long stride, long rows, long columns, int writes,
    float *dx, float *sums) {
  float lanes[CK_BLOCK] = {0};
  long copies = copies_of(columns, stride), done = rows / copies * copies * stride;
  gate_rows(
      gradient, y, copies * stride, rows / copies, copies * columns, writes, dx, lanes);
  gate_rows(
      gradient + done, y + done, stride, rows % copies, columns, writes, writes ? dx + done : 0,
      lanes);
  fold(lanes, columns, copies);
  memcpy(sums, lanes, (size_t)columns * sizeof *sums);
}

CLONED void ck_gated_sums(
    const float *gradient, const float *y, long stride, long rows, long columns, float *dx,
    float *sums) {
  if (dx)
    gated_sums(gradient, y, stride, rows, columns, 1, dx, sums);
  else
    gated_sums(gradient, y, stride, rows, columns, 0, 0, sums);
}
