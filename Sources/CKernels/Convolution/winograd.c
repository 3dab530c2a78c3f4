// Winograd convolution; see CKernels.h.
//
// Along an axis, m outputs of a correlation with r taps take m + r - 1 multiplications, 5 or 8,
// instead of m r: outputs = Aᵀ((G g) ⊙ (Bᵀ d)). Winograd, "Arithmetic Complexity of Computations",
// 1980; Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016. The
// matrices are those of Toom and Cook with the points 0, 1/2, -1, 2 and infinity, which round less
// than other small ones: 2.5 times as much as a direct sum, and, where numbers in the Winograd
// domain become bfloat16, 4.5 times as much as operands that become bfloat16. Four taps, along one
// axis only, also have 1, -1/2 and -2: in two groups of them seven taps round 1.7 times as much as
// in three groups of three. A stride cuts the input image into phases, each of which meets taps of
// its own. More than two or three taps along an axis are groups, which see the input image so many
// pixels further on, as further phases.
#include "CKernels.h"
#include "../clones.h"

/// Elements of the Winograd domain along an axis and in a tile, at most.
enum { DOMAIN = 8, SQUARE = 25 };

/// What is transformed to the Winograd domain and back.
enum { INPUT, FILTER, OUTPUT };

/// One axis: places of each kind, and matrices with a row for each element of the domain.
typedef struct {
  long domain, places[3];
  float matrix[3][DOMAIN][DOMAIN];
} axis;

#define INPUT_MATRIX                               \
  {{1, -1.5f, -1.5f, 1, 0},                      \
   {0, -2, -1, 1, 0},                            \
   {0, 1, -2.5f, 1, 0},                          \
   {0, -.5f, .5f, 1, 0},                         \
   {0, 1, -1.5f, -1.5f, 1}}

/// Nothing to share.
static const axis one_tap = {1, {1, 1, 1}, {{{1}}, {{1}}, {{1}}}};

static const axis two_taps = {
    5, {5, 2, 4},
    {INPUT_MATRIX,
     {{1, 0}, {-8 / 9.f, -4 / 9.f}, {-2 / 9.f, 2 / 9.f}, {1 / 9.f, 2 / 9.f}, {0, 1}},
     {{1, 0, 0, 0}, {1, .5f, .25f, .125f}, {1, -1, 1, -1}, {1, 2, 4, 8}, {0, 0, 0, 1}}}};

static const axis three_taps = {
    5, {5, 3, 3},
    {INPUT_MATRIX,
     {{1, 0, 0},
      {-8 / 9.f, -4 / 9.f, -2 / 9.f},
      {-2 / 9.f, 2 / 9.f, -2 / 9.f},
      {1 / 9.f, 2 / 9.f, 4 / 9.f},
      {0, 0, 1}},
     {{1, 0, 0}, {1, .5f, .25f}, {1, -1, 1}, {1, 2, 4}, {0, 0, 1}}}};

static const axis four_taps = {
    8, {8, 4, 5},
    {{{-1, 0, 5.25f, 0, -5.25f, 0, 1, 0},
      {0, 1, 1, -4.25f, -4.25f, 1, 1, 0},
      {0, -1, 1, 4.25f, -4.25f, -1, 1, 0},
      {0, .5f, .25f, -2.5f, -1.25f, 2, 1, 0},
      {0, -.5f, .25f, 2.5f, -1.25f, -2, 1, 0},
      {0, 2, 4, -2.5f, -5, .5f, 1, 0},
      {0, -2, 4, 2.5f, -5, -.5f, 1, 0},
      {0, -1, 0, 5.25f, 0, -5.25f, 0, 1}},
     {{-1, 0, 0, 0},
      {-2 / 9.f, -2 / 9.f, -2 / 9.f, -2 / 9.f},
      {-2 / 9.f, 2 / 9.f, -2 / 9.f, 2 / 9.f},
      {1 / 90.f, 1 / 45.f, 2 / 45.f, 4 / 45.f},
      {1 / 90.f, -1 / 45.f, 2 / 45.f, -4 / 45.f},
      {32 / 45.f, 16 / 45.f, 8 / 45.f, 4 / 45.f},
      {32 / 45.f, -16 / 45.f, 8 / 45.f, -4 / 45.f},
      {0, 0, 0, 1}},
     {{1, 0, 0, 0, 0},
      {1, 1, 1, 1, 1},
      {1, -1, 1, -1, 1},
      {1, 2, 4, 8, 16},
      {1, -2, 4, -8, 16},
      {1, .5f, .25f, .125f, .0625f},
      {1, -.5f, .25f, -.125f, .0625f},
      {0, 0, 0, 0, 1}}}};

/// The axes of a tile.
typedef struct {
  const axis *down, *across;
} axes;

/// What a pixel outside an image holds.
static const float zeros[CK_BLOCK];

INLINE long places_of(const axis *a, int kind, int transposed) {
  return transposed ? a->domain : a->places[kind];
}

/// y = matrix x, from places to the Winograd domain, or its transpose; elements `step` apart.
INLINE void along(
    const axis *a, int kind, int transposed, const float *x, float *y, long step) {
  long from = places_of(a, kind, transposed), to = places_of(a, kind, !transposed);
#pragma clang loop unroll(full)
  for (long i = 0; i < to; i++) {
    float sum = 0.f;
    int begun = 0;
#pragma clang loop unroll(full)
    for (long j = 0; j < from; j++) {
      float factor = transposed ? a->matrix[kind][j][i] : a->matrix[kind][i][j];
      if (factor == 0.f) continue;
      sum = begun ? sum + factor * x[j * step] : factor * x[j * step];
      begun = 1;
    }
    y[i * step] = sum;
  }
}

/// out = base + down in acrossᵀ, or with the transposes, for `count` channels; without `base`,
/// nothing is added. Rectangles of lines, row by row.
INLINE void transform(
    axes a, int kind, int transposed, const float *const *in, const float *const *base,
    float *const *out, long count) {
  long rows = places_of(a.down, kind, transposed), columns = places_of(a.across, kind, transposed);
  long rows_out = places_of(a.down, kind, !transposed);
  long columns_out = places_of(a.across, kind, !transposed);
  long pitch = a.across->domain;
  INDEPENDENT
  for (long c = 0; c < count; c++) {
    float x[SQUARE], y[SQUARE];
#pragma clang loop unroll(full)
    for (long i = 0; i < rows; i++)
#pragma clang loop unroll(full)
      for (long j = 0; j < columns; j++) x[i * pitch + j] = in[i * columns + j][c];
#pragma clang loop unroll(full)
    for (long j = 0; j < columns; j++) along(a.down, kind, transposed, x + j, y + j, pitch);
#pragma clang loop unroll(full)
    for (long i = 0; i < rows_out; i++)
      along(a.across, kind, transposed, y + i * pitch, x + i * pitch, 1);
#pragma clang loop unroll(full)
    for (long i = 0; i < rows_out; i++)
#pragma clang loop unroll(full)
      for (long j = 0; j < columns_out; j++)
        out[i * columns_out + j][c] =
            base ? base[i * columns_out + j][c] + x[i * pitch + j] : x[i * pitch + j];
  }
}

/// Where a line lies in the Winograd domain.
INLINE void at_domain(axes a, ck_winograd_domain domain, long line, float **out) {
  for (long i = 0; i < a.down->domain * a.across->domain; i++)
    out[i] = domain.start + i * domain.apart + line * domain.stride;
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

/// The first pixel along an axis that a phase meets: phases of a stride, then those `taps` further
/// on.
INLINE long first_of(long phase, long stride, long taps) {
  return phase / stride * stride * taps + phase % stride;
}

INLINE long first_row(const ck_winograd *w, long phase) {
  return first_of(phase / w->phases_across, w->geometry.stride_height, w->taps_down);
}

INLINE long first_column(const ck_winograd *w, long phase) {
  return first_of(phase % w->phases_across, w->geometry.stride_width, w->taps_across);
}

/// Where an input pixel of a tile's phase begins, -1 if it lies outside.
INLINE long input_pixel(const ck_winograd *w, axes a, long phase, place p, long row, long column) {
  const ck_geometry *g = &w->geometry;
  long i = (p.row * a.down->places[OUTPUT] + row) * g->stride_height + first_row(w, phase);
  long j = (p.column * a.across->places[OUTPUT] + column) * g->stride_width +
           first_column(w, phase);
  i -= g->padding_top, j -= g->padding_left;
  if (i < 0 || i >= g->input_height || j < 0 || j >= g->input_width) return -1;
  return ((p.image * g->input_height + i) * g->input_width + j) * g->input_channels;
}

INLINE long output_pixel(const ck_winograd *w, axes a, place p, long row, long column) {
  const ck_geometry *g = &w->geometry;
  long i = p.row * a.down->places[OUTPUT] + row, j = p.column * a.across->places[OUTPUT] + column;
  if (i >= g->output_height || j >= g->output_width) return -1;
  return ((p.image * g->output_height + i) * g->output_width + j) * g->output_channels;
}

/// Where the taps of a line of weights begin, -1 for a tap beyond the kernel.
INLINE long tap_place(const ck_winograd *w, long line, long row, long column) {
  const ck_geometry *g = &w->geometry;
  long phase = line / g->input_channels;
  long i = row * g->stride_height + first_row(w, phase);
  long j = column * g->stride_width + first_column(w, phase);
  if (i >= g->kernel_height || j >= g->kernel_width) return -1;
  return ((i * g->kernel_width + j) * g->input_channels + line % g->input_channels) *
         g->output_channels;
}

INLINE void from_input(
    axes a, const float *input, const ck_winograd *w, ck_lines lines, ck_winograd_domain domain) {
  long rows = a.down->domain, columns = a.across->domain;
  for (long t = 0; t < lines.count; t++) {
    place p = place_of(w, lines.first + t);
    const float *in[SQUARE];
    float *out[SQUARE];
    for (long i = 0; i < rows * columns; i++) {
      long pixel = input_pixel(w, a, lines.phase, p, i / columns, i % columns);
      in[i] = pixel < 0 ? zeros : input + pixel + lines.channel;
    }
    at_domain(a, domain, t, out);
    transform(a, INPUT, 0, in, 0, out, lines.channels);
  }
}

/// Pixels that an earlier tile has reached are added to, others written.
INLINE void to_input(
    axes a, ck_winograd_domain domain, const ck_winograd *w, ck_lines lines, float *input) {
  long rows = a.down->domain, columns = a.across->domain;
  long rows_shared = w->taps_down - 1, columns_shared = w->taps_across - 1;
  float outside[CK_BLOCK];
  for (long t = 0; t < lines.count; t++) {
    place p = place_of(w, lines.first + t);
    float *in[SQUARE], *out[SQUARE];
    const float *base[SQUARE];
    for (long i = 0; i < rows * columns; i++) {
      long row = i / columns, column = i % columns;
      long pixel = input_pixel(w, a, lines.phase, p, row, column);
      int reached = w->phases_meet || (row < rows_shared && p.row > 0) ||
                    (column < columns_shared && p.column > 0);
      out[i] = pixel < 0 ? outside : input + pixel + lines.channel;
      base[i] = reached && pixel >= 0 ? out[i] : zeros;
    }
    at_domain(a, domain, t, in);
    transform(a, INPUT, 1, (const float *const *)in, base, out, lines.channels);
  }
}

INLINE void from_output(
    axes a, const float *output, const ck_winograd *w, ck_lines lines, ck_winograd_domain domain) {
  long rows = a.down->places[OUTPUT], columns = a.across->places[OUTPUT];
  for (long t = 0; t < lines.count; t++) {
    place p = place_of(w, lines.first + t);
    const float *in[SQUARE];
    float *out[SQUARE];
    for (long i = 0; i < rows * columns; i++) {
      long pixel = output_pixel(w, a, p, i / columns, i % columns);
      in[i] = pixel < 0 ? zeros : output + pixel + lines.channel;
    }
    at_domain(a, domain, t, out);
    transform(a, OUTPUT, 0, in, 0, out, lines.channels);
  }
}

INLINE void to_output(
    axes a, ck_winograd_domain domain, const ck_winograd *w, ck_lines lines, float *output) {
  long rows = a.down->places[OUTPUT], columns = a.across->places[OUTPUT];
  float outside[CK_BLOCK];
  for (long t = 0; t < lines.count; t++) {
    place p = place_of(w, lines.first + t);
    float *in[SQUARE], *out[SQUARE];
    for (long i = 0; i < rows * columns; i++) {
      long pixel = output_pixel(w, a, p, i / columns, i % columns);
      out[i] = pixel < 0 ? outside : output + pixel + lines.channel;
    }
    at_domain(a, domain, t, in);
    transform(a, OUTPUT, 1, (const float *const *)in, 0, out, lines.channels);
  }
}

INLINE void from_weights(
    axes a, const float *weights, const ck_winograd *w, ck_lines lines, ck_winograd_domain domain) {
  long rows = a.down->places[FILTER], columns = a.across->places[FILTER];
  for (long t = 0; t < lines.count; t++) {
    const float *in[SQUARE];
    float *out[SQUARE];
    for (long i = 0; i < rows * columns; i++) {
      long tap = tap_place(w, lines.first + t, i / columns, i % columns);
      in[i] = tap < 0 ? zeros : weights + tap + lines.channel;
    }
    at_domain(a, domain, t, out);
    transform(a, FILTER, 0, in, 0, out, lines.channels);
  }
}

INLINE void to_weights(
    axes a, ck_winograd_domain domain, const ck_winograd *w, ck_lines lines, int adds,
    float *weights) {
  long rows = a.down->places[FILTER], columns = a.across->places[FILTER];
  float outside[CK_BLOCK];
  for (long t = 0; t < lines.count; t++) {
    float *in[SQUARE], *out[SQUARE];
    const float *base[SQUARE];
    for (long i = 0; i < rows * columns; i++) {
      long tap = tap_place(w, lines.first + t, i / columns, i % columns);
      out[i] = tap < 0 ? outside : weights + tap + lines.channel;
      base[i] = adds && tap >= 0 ? out[i] : zeros;
    }
    at_domain(a, domain, t, in);
    transform(a, FILTER, 1, (const float *const *)in, base, out, lines.channels);
  }
}

/// A loop of its own for each pair of axes.
#define BY_TAPS(body, ...)                             \
  do {                                                 \
    const axes square2 = {&two_taps, &two_taps};       \
    const axes square3 = {&three_taps, &three_taps};   \
    const axes row = {&one_tap, &three_taps};          \
    const axes column = {&three_taps, &one_tap};       \
    const axes long_row = {&one_tap, &four_taps};      \
    const axes long_column = {&four_taps, &one_tap};   \
    if (w->taps_across == 4)                           \
      body(long_row, __VA_ARGS__);                     \
    else if (w->taps_down == 4)                        \
      body(long_column, __VA_ARGS__);                  \
    else if (w->taps_down == 1)                        \
      body(row, __VA_ARGS__);                          \
    else if (w->taps_across == 1)                      \
      body(column, __VA_ARGS__);                       \
    else if (w->taps_down == 2)                        \
      body(square2, __VA_ARGS__);                      \
    else                                               \
      body(square3, __VA_ARGS__);                      \
  } while (0)

CLONED void ck_winograd_input_transform(
    const float *input, const ck_winograd *w, ck_lines lines, ck_winograd_domain domain) {
  BY_TAPS(from_input, input, w, lines, domain);
}

CLONED void ck_winograd_input_transform_adjoint(
    ck_winograd_domain domain, const ck_winograd *w, ck_lines lines, float *input) {
  BY_TAPS(to_input, domain, w, lines, input);
}

CLONED void ck_winograd_output_transform_adjoint(
    const float *output, const ck_winograd *w, ck_lines lines, ck_winograd_domain domain) {
  BY_TAPS(from_output, output, w, lines, domain);
}

CLONED void ck_winograd_output_transform(
    ck_winograd_domain domain, const ck_winograd *w, ck_lines lines, float *output) {
  BY_TAPS(to_output, domain, w, lines, output);
}

CLONED void ck_winograd_filter_transform(
    const float *weights, const ck_winograd *w, ck_lines lines, ck_winograd_domain domain) {
  BY_TAPS(from_weights, weights, w, lines, domain);
}

CLONED void ck_winograd_filter_transform_adjoint(
    ck_winograd_domain domain, const ck_winograd *w, ck_lines lines, int adds, float *weights) {
  BY_TAPS(to_weights, domain, w, lines, adds, weights);
}
