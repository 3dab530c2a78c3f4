// Goals, in order:
// 1. The order of operations is fixed by the counts alone: 64 lanes, then halving.
// 2. Errors grow with the length of a lane, not with the whole count.
// 3. Speed.
#include "CKernels.h"
#include "../columns.h"

#include <math.h>

enum { LANES = 64, FEW_LANES = 16 };

INLINE float join(int operation, float p, float q) {
  if (operation == CK_SUM) return p + q;
  return p > q || p != p ? p : q;
}

INLINE float neutral(int operation) { return operation == CK_SUM ? 0.f : -INFINITY; }

INLINE float join_lanes(int operation, long lanes, float *values) {
  for (long width = lanes / 2; width > 0; width /= 2)
    for (long j = 0; j < width; j++) values[j] = join(operation, values[j], values[j + width]);
  return values[0];
}

INLINE float reduce_in_lanes(int operation, long lanes, const float *x, long count) {
  float values[LANES];
  for (long j = 0; j < lanes; j++) values[j] = neutral(operation);
  long i = 0;
  for (; i + lanes <= count; i += lanes)
    for (long j = 0; j < lanes; j++) values[j] = join(operation, values[j], x[i + j]);
  for (long j = 0; i + j < count; j++) values[j] = join(operation, values[j], x[i + j]);
  return join_lanes(operation, lanes, values);
}

INLINE float reduce_in_order(int operation, const float *x, long count) {
  float value = neutral(operation);
  for (long i = 0; i < count; i++) value = join(operation, value, x[i]);
  return value;
}

/// One lane, 16 or 64, by the count alone.
INLINE void reduce_each_row(int operation, const float *x, long rows, long count, float *y) {
  if (count < 2 * FEW_LANES)
    for (long r = 0; r < rows; r++) y[r] = reduce_in_order(operation, x + r * count, count);
  else if (count < 8 * LANES)
    for (long r = 0; r < rows; r++)
      y[r] = reduce_in_lanes(operation, FEW_LANES, x + r * count, count);
  else
    for (long r = 0; r < rows; r++)
      y[r] = reduce_in_lanes(operation, LANES, x + r * count, count);
}

CLONED void ck_reduce_rows(int operation, const float *x, long rows, long count, float *y) {
  if (operation == CK_SUM)
    reduce_each_row(CK_SUM, x, rows, count, y);
  else
    reduce_each_row(CK_LARGEST, x, rows, count, y);
}

INLINE void join_rows(
    int operation, const float *x, long stride, long rows, long columns, float *y) {
  for (long r = 0; r < rows; r++) {
    const float *row = x + r * stride;
    INDEPENDENT
    for (long c = 0; c < columns; c++) y[c] = join(operation, y[c], row[c]);
  }
}

INLINE void reduce_columns(
    int operation, const float *x, long stride, long rows, long columns, float *y) {
  float lanes[CK_BLOCK];
  long copies = copies_of(columns, stride), width = copies * columns;
  for (long j = 0; j < width; j++) lanes[j] = neutral(operation);
  join_rows(operation, x, copies * stride, rows / copies, width, lanes);
  long rest = rows / copies * copies;
  join_rows(operation, x + rest * stride, stride, rows - rest, columns, lanes);
  for (long k = 1; k < copies; k++)
    for (long c = 0; c < columns; c++)
      lanes[c] = join(operation, lanes[c], lanes[k * columns + c]);
  memcpy(y, lanes, (size_t)columns * sizeof *y);
}

CLONED void ck_reduce_columns(
    int operation, const float *x, long stride, long rows, long columns, float *y) {
  if (operation == CK_SUM)
    reduce_columns(CK_SUM, x, stride, rows, columns, y);
  else
    reduce_columns(CK_LARGEST, x, stride, rows, columns, y);
}

CLONED float ck_dot(const float *a, const float *b, long count) {
  float lanes[LANES] = {0};
  long i = 0;
  for (; i + LANES <= count; i += LANES)
    for (long j = 0; j < LANES; j++) lanes[j] += a[i + j] * b[i + j];
  for (long j = 0; i + j < count; j++) lanes[j] += a[i + j] * b[i + j];
  return join_lanes(CK_SUM, LANES, lanes);
}

CLONED int ck_is_finite(const float *x, long count) {
  uint32_t largest = 0;
  for (long i = 0; i < count; i++) largest = larger_magnitude(largest, x[i]);
  return largest < infinite_magnitude;
}

CLONED long ck_first_reaching(
    const float *x, const float *y, float least, long start, long count) {
  for (; start + 64 <= count; start += 64) {
    int reached = 0;
    for (long i = start; i < start + 64; i++) reached |= x[i] - y[i] >= least;
    if (reached) break;
  }
  for (; start < count; start++)
    if (x[start] - y[start] >= least) return start;
  return count;
}
