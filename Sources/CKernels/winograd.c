// Convolutions by minimal filtering; see CKernels.h.
//
// Along an axis, m outputs of a correlation with r taps take m + r - 1 = 5 multiplications instead of m r:
// outputs = smallᵀ((tap g) ⊙ (big d)). Winograd, "Arithmetic Complexity of Computations", 1980; Lavin and Gray,
// "Fast Algorithms for Convolutional Neural Networks", CVPR 2016. The matrices are those of Toom and Cook with
// the points 0, 1/2, -1, 2 and infinity, which round least among small ones: 2.5 times as much as a direct sum.
// A stride cuts the big image into phases, each of which meets taps of its own.
#include "CKernels.h"
#include "clones.h"

enum { POINTS = 5, SQUARE = POINTS * POINTS };

/// One axis: each matrix has a row for each point.
typedef struct {
  long outputs, taps;
  float tap[POINTS][POINTS], small[POINTS][POINTS];
} axis;

static const float big_points[POINTS][POINTS] = {
    {1, -1.5f, -1.5f, 1, 0},
    {0, -2, -1, 1, 0},
    {0, 1, -2.5f, 1, 0},
    {0, -.5f, .5f, 1, 0},
    {0, 1, -1.5f, -1.5f, 1}};

static const axis two_taps = {
    4, 2,
    {{1, 0}, {-8 / 9.f, -4 / 9.f}, {-2 / 9.f, 2 / 9.f}, {1 / 9.f, 2 / 9.f}, {0, 1}},
    {{1, 0, 0, 0}, {1, .5f, .25f, .125f}, {1, -1, 1, -1}, {1, 2, 4, 8}, {0, 0, 0, 1}}};

static const axis three_taps = {
    3, 3,
    {{1, 0, 0},
     {-8 / 9.f, -4 / 9.f, -2 / 9.f},
     {-2 / 9.f, 2 / 9.f, -2 / 9.f},
     {1 / 9.f, 2 / 9.f, 4 / 9.f},
     {0, 0, 1}},
    {{1, 0, 0}, {1, .5f, .25f}, {1, -1, 1}, {1, 2, 4}, {0, 0, 1}}};

/// What a pixel outside an image holds.
static const float zeros[CK_BLOCK];

/// y = matrix x, from places to points, or its transpose; elements `step` apart.
INLINE void along(
    const float matrix[POINTS][POINTS], long places, int transposed, const float *x, float *y,
    long step) {
  long from = transposed ? POINTS : places, to = transposed ? places : POINTS;
#pragma clang loop unroll(full)
  for (long i = 0; i < to; i++) {
    float sum = 0.f;
    int begun = 0;
#pragma clang loop unroll(full)
    for (long j = 0; j < from; j++) {
      float factor = transposed ? matrix[j][i] : matrix[i][j];
      if (factor == 0.f) continue;
      sum = begun ? sum + factor * x[j * step] : factor * x[j * step];
      begun = 1;
    }
    y[i * step] = sum;
  }
}

/// out = base + matrix in matrixᵀ, or with the transpose, for `count` channels; without `base`, nothing is
/// added. Squares of lines, row by row.
INLINE void transform(
    const float matrix[POINTS][POINTS], long places, int transposed, const float *const *in,
    const float *const *base, float *const *out, long count) {
  long from = transposed ? POINTS : places, to = transposed ? places : POINTS;
  INDEPENDENT
  for (long c = 0; c < count; c++) {
    float x[SQUARE], columns[SQUARE];
#pragma clang loop unroll(full)
    for (long i = 0; i < from; i++)
#pragma clang loop unroll(full)
      for (long j = 0; j < from; j++) x[i * POINTS + j] = in[i * from + j][c];
#pragma clang loop unroll(full)
    for (long j = 0; j < from; j++)
      along(matrix, places, transposed, x + j, columns + j, POINTS);
#pragma clang loop unroll(full)
    for (long i = 0; i < to; i++)
      along(matrix, places, transposed, columns + i * POINTS, x + i * POINTS, 1);
#pragma clang loop unroll(full)
    for (long i = 0; i < to; i++)
#pragma clang loop unroll(full)
      for (long j = 0; j < to; j++)
        out[i * to + j][c] =
            base ? base[i * to + j][c] + x[i * POINTS + j] : x[i * POINTS + j];
  }
}

/// A tile's image and its place in it.
typedef struct {
  long image, row, column;
} place;

INLINE place place_of(const ck_winograd *w, long tile) {
  long of_image = tile % (w->tiles_down * w->tiles_across);
  return (place){
      tile / (w->tiles_down * w->tiles_across), of_image / w->tiles_across,
      of_image % w->tiles_across};
}

/// Where a big pixel of a tile's phase begins, -1 if it lies outside.
INLINE long big_pixel(
    const ck_winograd *w, const axis *a, long phase, place p, long row, long column) {
  const ck_geometry *g = &w->geometry;
  long i = (p.row * a->outputs + row) * g->stride_height + phase / g->stride_width;
  long j = (p.column * a->outputs + column) * g->stride_width + phase % g->stride_width;
  i -= g->padding_top, j -= g->padding_left;
  if (i < 0 || i >= g->big_height || j < 0 || j >= g->big_width) return -1;
  return ((p.image * g->big_height + i) * g->big_width + j) * g->big_channels;
}

INLINE long small_pixel(const ck_winograd *w, const axis *a, place p, long row, long column) {
  const ck_geometry *g = &w->geometry;
  long i = p.row * a->outputs + row, j = p.column * a->outputs + column;
  if (i >= g->small_height || j >= g->small_width) return -1;
  return ((p.image * g->small_height + i) * g->small_width + j) * g->small_channels;
}

/// Where the taps of a line of weights begin, -1 for a tap beyond the kernel.
INLINE long tap_place(const ck_winograd *w, long line, long row, long column) {
  const ck_geometry *g = &w->geometry;
  long phase = line / g->big_channels;
  long i = row * g->stride_height + phase / g->stride_width;
  long j = column * g->stride_width + phase % g->stride_width;
  if (i >= g->kernel_height || j >= g->kernel_width) return -1;
  return ((i * g->kernel_width + j) * g->big_channels + line % g->big_channels) *
         g->small_channels;
}

INLINE void from_big(
    const axis *a, const float *big, const ck_winograd *w, ck_lines lines, ck_points points) {
  for (long t = 0; t < lines.count; t++) {
    place p = place_of(w, lines.first + t);
    const float *in[SQUARE];
    float *out[SQUARE];
    for (long i = 0; i < SQUARE; i++) {
      long pixel = big_pixel(w, a, lines.phase, p, i / POINTS, i % POINTS);
      in[i] = pixel < 0 ? zeros : big + pixel + lines.channel;
      out[i] = points.start + i * points.apart + t * points.stride;
    }
    transform(big_points, POINTS, 0, in, 0, out, lines.channels);
  }
}

/// Pixels that an earlier tile has reached are added to, others written.
INLINE void to_big(
    const axis *a, ck_points points, const ck_winograd *w, ck_lines lines, float *big) {
  long shared = a->taps - 1;
  float outside[CK_BLOCK];
  for (long t = 0; t < lines.count; t++) {
    place p = place_of(w, lines.first + t);
    const float *in[SQUARE], *base[SQUARE];
    float *out[SQUARE];
    for (long i = 0; i < SQUARE; i++) {
      long row = i / POINTS, column = i % POINTS;
      long pixel = big_pixel(w, a, lines.phase, p, row, column);
      int reached = (row < shared && p.row > 0) || (column < shared && p.column > 0);
      in[i] = points.start + i * points.apart + t * points.stride;
      out[i] = pixel < 0 ? outside : big + pixel + lines.channel;
      base[i] = reached && pixel >= 0 ? out[i] : zeros;
    }
    transform(big_points, POINTS, 1, in, base, out, lines.channels);
  }
}

INLINE void from_small(
    const axis *a, const float *small, const ck_winograd *w, ck_lines lines, ck_points points) {
  long m = a->outputs;
  for (long t = 0; t < lines.count; t++) {
    place p = place_of(w, lines.first + t);
    const float *in[SQUARE];
    float *out[SQUARE];
    for (long i = 0; i < m * m; i++) {
      long pixel = small_pixel(w, a, p, i / m, i % m);
      in[i] = pixel < 0 ? zeros : small + pixel + lines.channel;
    }
    for (long i = 0; i < SQUARE; i++)
      out[i] = points.start + i * points.apart + t * points.stride;
    transform(a->small, m, 0, in, 0, out, lines.channels);
  }
}

INLINE void to_small(
    const axis *a, ck_points points, const ck_winograd *w, ck_lines lines, float *small) {
  long m = a->outputs;
  float outside[CK_BLOCK];
  for (long t = 0; t < lines.count; t++) {
    place p = place_of(w, lines.first + t);
    const float *in[SQUARE];
    float *out[SQUARE];
    for (long i = 0; i < SQUARE; i++)
      in[i] = points.start + i * points.apart + t * points.stride;
    for (long i = 0; i < m * m; i++) {
      long pixel = small_pixel(w, a, p, i / m, i % m);
      out[i] = pixel < 0 ? outside : small + pixel + lines.channel;
    }
    transform(a->small, m, 1, in, 0, out, lines.channels);
  }
}

INLINE void from_weights(
    const axis *a, const float *weights, const ck_winograd *w, ck_lines lines, ck_points points) {
  long r = a->taps;
  for (long t = 0; t < lines.count; t++) {
    const float *in[SQUARE];
    float *out[SQUARE];
    for (long i = 0; i < r * r; i++) {
      long tap = tap_place(w, lines.first + t, i / r, i % r);
      in[i] = tap < 0 ? zeros : weights + tap + lines.channel;
    }
    for (long i = 0; i < SQUARE; i++)
      out[i] = points.start + i * points.apart + t * points.stride;
    transform(a->tap, r, 0, in, 0, out, lines.channels);
  }
}

INLINE void to_weights(
    const axis *a, ck_points points, const ck_winograd *w, ck_lines lines, int adds,
    float *weights) {
  long r = a->taps;
  float outside[CK_BLOCK];
  for (long t = 0; t < lines.count; t++) {
    const float *in[SQUARE], *base[SQUARE];
    float *out[SQUARE];
    for (long i = 0; i < SQUARE; i++)
      in[i] = points.start + i * points.apart + t * points.stride;
    for (long i = 0; i < r * r; i++) {
      long tap = tap_place(w, lines.first + t, i / r, i % r);
      out[i] = tap < 0 ? outside : weights + tap + lines.channel;
      base[i] = adds && tap >= 0 ? out[i] : zeros;
    }
    transform(a->tap, r, 1, in, base, out, lines.channels);
  }
}

CLONED void ck_winograd_from_big(
    const float *big, const ck_winograd *w, ck_lines lines, ck_points points) {
  if (w->taps == 2)
    from_big(&two_taps, big, w, lines, points);
  else
    from_big(&three_taps, big, w, lines, points);
}

CLONED void ck_winograd_to_big(
    ck_points points, const ck_winograd *w, ck_lines lines, float *big) {
  if (w->taps == 2)
    to_big(&two_taps, points, w, lines, big);
  else
    to_big(&three_taps, points, w, lines, big);
}

CLONED void ck_winograd_from_small(
    const float *small, const ck_winograd *w, ck_lines lines, ck_points points) {
  if (w->taps == 2)
    from_small(&two_taps, small, w, lines, points);
  else
    from_small(&three_taps, small, w, lines, points);
}

CLONED void ck_winograd_to_small(
    ck_points points, const ck_winograd *w, ck_lines lines, float *small) {
  if (w->taps == 2)
    to_small(&two_taps, points, w, lines, small);
  else
    to_small(&three_taps, points, w, lines, small);
}

CLONED void ck_winograd_from_weights(
    const float *weights, const ck_winograd *w, ck_lines lines, ck_points points) {
  if (w->taps == 2)
    from_weights(&two_taps, weights, w, lines, points);
  else
    from_weights(&three_taps, weights, w, lines, points);
}

CLONED void ck_winograd_to_weights(
    ck_points points, const ck_winograd *w, ck_lines lines, int adds, float *weights) {
  if (w->taps == 2)
    to_weights(&two_taps, points, w, lines, adds, weights);
  else
    to_weights(&three_taps, points, w, lines, adds, weights);
}
