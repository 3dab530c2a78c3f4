// Winograd convolution in three directions, as Sources/LatheKernels/Convolution/Winograd puts the
// transforms and the GEMMs of the domain together.
#include "driver.h"

typedef struct {
  ck_winograd w;
  long images, tiles, phases, lines, domain;
  float *x, *y, *weights;
} layer;

/// Tiles, phases and size of the domain along an axis.
typedef struct {
  long tiles, phases, groups, domain;
} axis;

/// Output pixels of a tile along an axis.
static long outputs_of(long taps) { return taps == 1 ? 1 : taps == 4 ? 5 : 6 - taps; }

static axis axis_of(long taps, long kernel, long stride, long output) {
  long groups = (kernel + taps * stride - 1) / (taps * stride), outputs = outputs_of(taps);
  return (axis){(output + outputs - 1) / outputs, stride * groups, groups, outputs + taps - 1};
}

static layer make_layer(ck_geometry g, long images, long down, long across) {
  axis d = axis_of(down, g.kernel_height, g.stride_height, g.output_height);
  axis a = axis_of(across, g.kernel_width, g.stride_width, g.output_width);
  ck_winograd w = {g, down, across, d.tiles, a.tiles, a.phases, d.groups * a.groups > 1};
  layer l = {.w = w, .images = images};
  l.tiles = images * d.tiles * a.tiles, l.phases = d.phases * a.phases;
  l.lines = l.phases * g.input_channels, l.domain = d.domain * a.domain;
  l.x = values(images * g.input_height * g.input_width * g.input_channels, 6);
  l.y = values(images * g.output_height * g.output_width * g.output_channels, 7);
  l.weights = values(g.kernel_height * g.kernel_width * g.input_channels * g.output_channels, 8);
  return l;
}

/// Matrices [rows, columns], one for each element of the domain.
static ck_winograd_domain matrices(const layer *l, long rows, long columns) {
  return (ck_winograd_domain){floats(l->domain * rows * columns), columns, rows * columns};
}

static ck_winograd_domain from_column(ck_winograd_domain m, long column) {
  m.start += column;
  return m;
}

/// [tiles, lines].
static ck_winograd_domain input_domain(const layer *l) {
  long channels = l->w.geometry.input_channels;
  ck_winograd_domain domain = matrices(l, l->tiles, l->lines);
  for (long phase = 0; phase < l->phases; phase++)
    ck_winograd_input_transform(l->x, &l->w, (ck_lines){0, l->tiles, phase, 0, channels},
                                from_column(domain, phase * channels));
  return domain;
}

static ck_winograd_domain product_of(const layer *l, product p, ck_winograd_domain a,
                                     ck_winograd_domain b) {
  ck_winograd_domain c = matrices(l, p.m, p.n);
  for (long e = 0; e < l->domain; e++)
    multiply(p, a.start + e * a.apart, a.stride, b.start + e * b.apart, b.stride,
             c.start + e * c.apart, c.stride);
  return c;
}

/// The convolution in double precision, or one of its adjoints, and the sums of magnitudes.
static void reference(const layer *l, int direction, double *want, double *scale) {
  const ck_geometry *g = &l->w.geometry;
  for (long n = 0; n < l->images * g->output_height * g->output_width; n++)
    for (long place = 0; place < g->kernel_height * g->kernel_width; place++) {
      long image = n / (g->output_height * g->output_width);
      long i = n / g->output_width % g->output_height, j = n % g->output_width;
      long p = i * g->stride_height - g->padding_top + place / g->kernel_width;
      long q = j * g->stride_width - g->padding_left + place % g->kernel_width;
      if (p < 0 || p >= g->input_height || q < 0 || q >= g->input_width) continue;
      for (long c = 0; c < g->input_channels; c++)
        for (long o = 0; o < g->output_channels; o++) {
          long x = ((image * g->input_height + p) * g->input_width + q) * g->input_channels + c;
          long y = n * g->output_channels + o;
          long w = (place * g->input_channels + c) * g->output_channels + o;
          double term = direction == 0   ? (double)l->x[x] * l->weights[w]
                        : direction == 1 ? (double)l->y[y] * l->weights[w]
                                         : (double)l->x[x] * l->y[y];
          long at = direction == 0 ? y : direction == 1 ? x : w;
          want[at] += term, scale[at] += fabs(term);
        }
    }
}

static void report(const layer *l, int direction, const float *got, long count) {
  static const char *const directions[] = {"forward", "transposed", "weight gradient"};
  const ck_geometry *g = &l->w.geometry;
  double *want = doubles(count), *scale = doubles(count), largest = 0;
  reference(l, direction, want, scale);
  for (long i = 0; i < count; i++) largest = scale[i] > largest ? scale[i] : largest;
  for (long i = 0; i < count; i++) scale[i] = largest;  // a tile's numbers share their errors
  char name[100];
  snprintf(name, sizeof name, "winograd %ldx%ld taps %s k%ldx%ld s%ld", l->w.taps_down,
           l->w.taps_across, directions[direction], g->kernel_height, g->kernel_width,
           g->stride_height);
  compare(name, got, want, scale, count, 2e-6);
  free(want), free(scale);
}

static void check(layer l) {
  const ck_geometry *g = &l.w.geometry;
  long o = g->output_channels, c = g->input_channels;
  long sizes[] = {l.images * g->output_height * g->output_width * o,
                  l.images * g->input_height * g->input_width * c,
                  g->kernel_height * g->kernel_width * c * o};
  ck_lines tiles = {0, l.tiles, 0, 0, o}, lines = {0, l.lines, 0, 0, o};
  ck_winograd_domain input = input_domain(&l), filter = matrices(&l, l.lines, o);
  ck_winograd_domain output = matrices(&l, l.tiles, o);
  ck_winograd_filter_transform(l.weights, &l.w, lines, filter);
  ck_winograd_output_transform_adjoint(l.y, &l.w, tiles, output);

  float *y = floats(sizes[0]), *x = floats(sizes[1]), *w = floats(sizes[2]);
  product forward = {.m = l.tiles, .n = o, .k = l.lines};
  ck_winograd_domain sums = product_of(&l, forward, input, filter);
  ck_winograd_output_transform(sums, &l.w, tiles, y);
  report(&l, 0, y, sizes[0]);

  memset(x, 0, (size_t)sizes[1] * sizeof *x);
  product adjoint = {.b_transposed = 1, .m = l.tiles, .n = l.lines, .k = o};
  sums = product_of(&l, adjoint, output, filter);
  for (long phase = 0; phase < l.phases; phase++)
    ck_winograd_input_transform_adjoint(from_column(sums, phase * c), &l.w,
                                        (ck_lines){0, l.tiles, phase, 0, c}, x);
  report(&l, 1, x, sizes[1]);

  product gradient = {.a_transposed = 1, .m = l.lines, .n = o, .k = l.tiles};
  ck_winograd_filter_transform_adjoint(product_of(&l, gradient, input, output), &l.w, lines, 0, w);
  report(&l, 2, w, sizes[2]);
}

void check_winograd(void) {
  check(make_layer((ck_geometry){16, 16, 10, 8, 8, 12, 4, 4, 2, 2, 1, 1}, 2, 2, 2));
  check(make_layer((ck_geometry){9, 11, 7, 9, 11, 18, 3, 3, 1, 1, 1, 1}, 2, 3, 3));
  check(make_layer((ck_geometry){8, 8, 6, 8, 8, 9, 5, 5, 1, 1, 2, 2}, 2, 3, 3));
  check(make_layer((ck_geometry){7, 10, 8, 7, 10, 8, 1, 7, 1, 1, 0, 3}, 2, 1, 3));
  check(make_layer((ck_geometry){10, 7, 8, 10, 7, 8, 7, 1, 1, 1, 3, 0}, 2, 3, 1));
  check(make_layer((ck_geometry){7, 10, 8, 7, 10, 8, 1, 7, 1, 1, 0, 3}, 2, 1, 4));
  check(make_layer((ck_geometry){10, 7, 8, 10, 7, 8, 7, 1, 1, 1, 3, 0}, 2, 4, 1));
}
