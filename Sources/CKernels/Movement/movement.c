#include "CKernels.h"
#include "../clones.h"

void ck_copy_rows(
    const float *x, long x_stride, float *y, long y_stride, long rows, long length) {
  if (length == 1) {
    for (long r = 0; r < rows; r++) y[r * y_stride] = x[r * x_stride];
    return;
  }
  for (long r = 0; r < rows; r++)
    memcpy(y + r * y_stride, x + r * x_stride, (size_t)length * sizeof *y);
}

enum { TILE = 8, BAND = 64 };

typedef float eight __attribute__((vector_size(TILE * sizeof(float)), aligned(4)));

/// Three rounds of exchanges between rows 1, 2 and 4 apart.
INLINE void transpose_tile(const float *x, long x_stride, float *y, long y_stride) {
  eight a[TILE], b[TILE];
  for (long r = 0; r < TILE; r++) a[r] = *(const eight *)(x + r * x_stride);
  for (long r = 0; r < TILE; r += 2) {
    b[r] = __builtin_shufflevector(a[r], a[r + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    b[r + 1] = __builtin_shufflevector(a[r], a[r + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (long r = 0; r < TILE; r++) {
    if (r & 2) continue;
    a[r] = __builtin_shufflevector(b[r], b[r + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    a[r + 2] = __builtin_shufflevector(b[r], b[r + 2], 2, 3, 10, 11, 6, 7, 14, 15);
  }
  for (long r = 0; r < TILE / 2; r++) {
    b[r] = __builtin_shufflevector(a[r], a[r + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    b[r + 4] = __builtin_shufflevector(a[r], a[r + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
  for (long c = 0; c < TILE; c++) *(eight *)(y + c * y_stride) = b[c];
}

INLINE void transpose_edge(
    const float *x, long x_stride, float *y, long y_stride, long rows, long columns) {
  for (long c = 0; c < columns; c++)
    for (long r = 0; r < rows; r++) y[c * y_stride + r] = x[r * x_stride + c];
}

/// A band of rows, so that the lines of `y` being filled stay in the cache.
INLINE void transpose_band(
    const float *x, long x_stride, float *y, long y_stride, long rows, long columns) {
  long whole_rows = rows / TILE * TILE, whole_columns = columns / TILE * TILE;
  for (long c = 0; c < whole_columns; c += TILE)
    for (long r = 0; r < whole_rows; r += TILE)
      transpose_tile(x + r * x_stride + c, x_stride, y + c * y_stride + r, y_stride);
  transpose_edge(
      x + whole_columns, x_stride, y + whole_columns * y_stride, y_stride, whole_rows,
      columns - whole_columns);
  transpose_edge(
      x + whole_rows * x_stride, x_stride, y + whole_rows, y_stride, rows - whole_rows, columns);
}

CLONED void ck_transpose(
    const float *x, long x_stride, float *y, long y_stride, long rows, long columns) {
  for (long r = 0; r < rows; r += BAND)
    transpose_band(
        x + r * x_stride, x_stride, y + r, y_stride, min_long(BAND, rows - r), columns);
}

void ck_gather_rows(const float *x, const int *indices, long rows, long length, float *y) {
  for (long r = 0; r < rows; r++)
    memcpy(y + r * length, x + indices[r] * length, (size_t)length * sizeof *y);
}

CLONED void ck_scatter_add_rows(
    const float *x, const int *indices, long rows, long length, float *y) {
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * length;
    float *to = y + indices[r] * length;
    INDEPENDENT
    for (long i = 0; i < length; i++) to[i] += from[i];
  }
}
