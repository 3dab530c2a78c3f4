// Pooling and resizing of images, NHWC; see CKernels.h.
#include "CKernels.h"
#include "../clones.h"

/// The part of a window that lies inside an axis of `size`.
typedef struct {
  long first, end;
} span;

INLINE span inside(long place, long stride, long padding, long kernel, long size) {
  long start = place * stride - padding;
  return (span){max_long(start, 0), min_long(start + kernel, size)};
}

/// NaN stays: it compares unequal to itself.
INLINE void take_larger(const float *x, long channels, float *y) {
  INDEPENDENT
  for (long c = 0; c < channels; c++) y[c] = x[c] > y[c] || x[c] != x[c] ? x[c] : y[c];
}

INLINE void add(const float *x, long channels, float *y) {
  INDEPENDENT
  for (long c = 0; c < channels; c++) y[c] += x[c];
}

INLINE void scale(float factor, long channels, float *y) {
  INDEPENDENT
  for (long c = 0; c < channels; c++) y[c] *= factor;
}

/// One output pixel from the pixels of its window.
INLINE void pool_window(
    const float *image, const ck_window *w, span rows, span columns, int averages, float *y) {
  const float *first = image + (rows.first * w->width + columns.first) * w->channels;
  memcpy(y, first, (size_t)w->channels * sizeof *y);
  for (long i = rows.first; i < rows.end; i++)
    for (long j = columns.first; j < columns.end; j++) {
      const float *x = image + (i * w->width + j) * w->channels;
      if (x == first) continue;
      if (averages)
        add(x, w->channels, y);
      else
        take_larger(x, w->channels, y);
    }
  long pixels = (rows.end - rows.first) * (columns.end - columns.first);
  if (averages) scale(1.f / (float)pixels, w->channels, y);
}

CLONED static void pool(
    const float *x, const ck_window *w, long row, long rows, int averages, float *y) {
  for (long r = row; r < row + rows; r++) {
    const float *image = x + r / w->out_height * w->height * w->width * w->channels;
    span down = inside(r % w->out_height, w->stride, w->padding, w->kernel, w->height);
    for (long j = 0; j < w->out_width; j++) {
      span across = inside(j, w->stride, w->padding, w->kernel, w->width);
      pool_window(image, w, down, across, averages, y + (r * w->out_width + j) * w->channels);
    }
  }
}

void ck_max_pool(const float *x, const ck_window *w, long row, long rows, float *y) {
  pool(x, w, row, rows, 0, y);
}

void ck_average_pool(const float *x, const ck_window *w, long row, long rows, float *y) {
  pool(x, w, row, rows, 1, y);
}

CLONED void ck_blend_rows(
    const float *upper, const float *lower, float share, long count, float *y) {
  INDEPENDENT
  for (long i = 0; i < count; i++) y[i] = upper[i] + (lower[i] - upper[i]) * share;
}

void ck_blend_pixels(
    const float *row, const long *left, const long *right, const float *share, long width,
    long channels, float *y) {
  for (long j = 0; j < width; j++) {
    const float *a = row + left[j] * channels, *b = row + right[j] * channels;
    for (long c = 0; c < channels; c++) *y++ = a[c] + (b[c] - a[c]) * share[j];
  }
}
