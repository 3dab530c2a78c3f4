// Goals, in order:
// 1. The order of operations is fixed by the counts alone: 64 lanes, then halving.
// 2. Errors grow with the length of a lane, not with the whole count.
// 3. Speed.
#include "CKernels.h"
#include "columns.h"

#include <math.h>

enum { LANES = 64 };

INLINE float join(int operation, float p, float q) {
  if (operation == CK_SUM) return p + q;
  return p > q || p != p ? p : q;
}

INLINE float neutral(int operation) { return operation == CK_SUM ? 0.f : -INFINITY; }

INLINE float join_lanes(int operation, float *lanes) {
  for (long width = LANES / 2; width > 0; width /= 2)
    for (long j = 0; j < width; j++) lanes[j] = join(operation, lanes[j], lanes[j + width]);
  return lanes[0];
}

INLINE float reduce(int operation, const float *x, long count) {
  float lanes[LANES];
  for (long j = 0; j < LANES; j++) lanes[j] = neutral(operation);
  long i = 0;
  for (; i + LANES <= count; i += LANES)
    for (long j = 0; j < LANES; j++) lanes[j] = join(operation, lanes[j], x[i + j]);
  for (long j = 0; i + j < count; j++) lanes[j] = join(operation, lanes[j], x[i + j]);
  return join_lanes(operation, lanes);
}

CLONED float ck_reduce(int operation, const float *x, long count) {
  if (operation == CK_SUM) return reduce(CK_SUM, x, count);
  return reduce(CK_LARGEST, x, count);
}

INLINE void reduce_rows(
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
  reduce_rows(operation, x, copies * stride, rows / copies, width, lanes);
  long rest = rows / copies * copies;
  reduce_rows(operation, x + rest * stride, stride, rows - rest, columns, lanes);
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
  return join_lanes(CK_SUM, lanes);
}

CLONED int ck_is_finite(const float *x, long count) {
  uint32_t largest = 0;
  for (long i = 0; i < count; i++) largest = larger_magnitude(largest, x[i]);
  return largest < infinite_magnitude;
}
