// Convolutions in three directions: by tiles that read bordered images, by im2col and col2im, and
// in the planar form.
#include "driver.h"

typedef struct {
  ck_geometry g;
  long images;
  float *x, *y, *w;              // input, output (or its gradient), weights
  double *want[3], *scale[3];    // output, input, weights
} layer;

static long input_size(const layer *l) {
  return l->images * l->g.input_height * l->g.input_width * l->g.input_channels;
}

static long output_size(const layer *l) {
  return l->images * l->g.output_height * l->g.output_width * l->g.output_channels;
}

static long weights_size(const ck_geometry *g) {
  return g->kernel_height * g->kernel_width * g->input_channels * g->output_channels;
}

/// One term of all three directions.
static void add_term(layer *l, long x, long y, long w) {
  double terms[3] = {(double)l->x[x] * l->w[w], (double)l->y[y] * l->w[w],
                     (double)l->x[x] * l->y[y]};
  long places[3] = {y, x, w};
  for (int d = 0; d < 3; d++) {
    l->want[d][places[d]] += terms[d];
    l->scale[d][places[d]] += fabs(terms[d]);
  }
}

/// All terms of one input pixel, one output pixel and the kernel place where they meet.
static void add_pixels(layer *l, long x, long y, long w) {
  const ck_geometry *g = &l->g;
  for (long c = 0; c < g->input_channels; c++)
    for (long o = 0; o < g->output_channels; o++)
      add_term(l, x * g->input_channels + c, y * g->output_channels + o,
               (w * g->input_channels + c) * g->output_channels + o);
}

static void add_output_pixel(layer *l, long n, long i, long j) {
  const ck_geometry *g = &l->g;
  for (long a = 0; a < g->kernel_height; a++)
    for (long b = 0; b < g->kernel_width; b++) {
      long p = i * g->stride_height - g->padding_top + a;
      long q = j * g->stride_width - g->padding_left + b;
      if (p < 0 || p >= g->input_height || q < 0 || q >= g->input_width) continue;
      add_pixels(l, (n * g->input_height + p) * g->input_width + q,
                 (n * g->output_height + i) * g->output_width + j, a * g->kernel_width + b);
    }
}

static layer make_layer(ck_geometry g, long images, int rounded) {
  layer l = {.g = g, .images = images};
  long sizes[3] = {output_size(&l), input_size(&l), weights_size(&g)};
  float *(*draw)(long, unsigned) = rounded ? rounded_values : values;
  l.y = draw(sizes[0], 1), l.x = draw(sizes[1], 2), l.w = draw(sizes[2], 3);
  for (int d = 0; d < 3; d++) l.want[d] = doubles(sizes[d]), l.scale[d] = doubles(sizes[d]);
  for (long n = 0; n < images; n++)
    for (long i = 0; i < g.output_height; i++)
      for (long j = 0; j < g.output_width; j++) add_output_pixel(&l, n, i, j);
  for (int d = 0; d < 3; d++)
    for (long e = 0; e < sizes[d]; e++) l.scale[d][e] += 1e-30;
  return l;
}

static void free_layer(layer *l) {
  free(l->x), free(l->y), free(l->w);
  for (int d = 0; d < 3; d++) free(l->want[d]), free(l->scale[d]);
}

enum { FORWARD, TRANSPOSED, GRADIENT };

static void report(const layer *l, const char *form, int direction, const float *got,
                   double limit) {
  static const char *const directions[] = {"forward", "transposed", "weight gradient"};
  const ck_geometry *g = &l->g;
  long sizes[] = {output_size(l), input_size(l), weights_size(g)};
  char name[120];
  snprintf(name, sizeof name, "%s %s %ldx%ldx%ld k%ldx%ld s%ld o%ld", form, directions[direction],
           g->input_height, g->input_width, g->input_channels, g->kernel_height, g->kernel_width,
           g->stride_height, g->output_channels);
  compare(name, got, l->want[direction], l->scale[direction], sizes[direction], limit);
}

// Tiles.

/// Images with a border so that every receptive field lies inside.
static ck_border border_of(const ck_geometry *g) {
  long high = (g->output_height - 1) * g->stride_height + g->kernel_height;
  long wide = (g->output_width - 1) * g->stride_width + g->kernel_width;
  long height = g->padding_top + g->input_height, width = g->padding_left + g->input_width;
  return (ck_border){g->input_height, g->input_width, g->input_channels, g->padding_top,
                     g->padding_left, high > height ? high : height, wide > width ? wide : width};
}

/// Where each output pixel's receptive field begins, and its output.
static long *places_of(const layer *l, const ck_border *b, long pixel) {
  const ck_geometry *g = &l->g;
  long pixels = l->images * g->output_height * g->output_width;
  long *places = integers(2 * pixels);
  for (long r = 0; r < pixels; r++) {
    long of_one = g->output_height * g->output_width, image = r / of_one, of_image = r % of_one;
    long i = of_image / g->output_width, j = of_image % g->output_width;
    long row = image * b->outer_height + i * g->stride_height;
    places[r] = (row * b->outer_width + j * g->stride_width) * pixel;
    places[pixels + r] = r * g->output_channels;
  }
  return places;
}

static void convolve(const layer *l, int pairs, float *y) {
  const ck_geometry *g = &l->g;
  ck_border b = border_of(g);
  long pixel = pairs ? (g->input_channels + 1) / 2 : g->input_channels;
  long width = ck_shape_of_tiles().columns, pixels = l->images * g->output_height * g->output_width;
  float *bordered = floats(l->images * b.outer_height * b.outer_width * pixel);
  float *panel = floats(g->kernel_height * g->kernel_width * pixel * width);
  ck_pack_images(pairs, l->x, &b, l->images, bordered);
  long *places = places_of(l, &b, pixel);
  ck_tiles job = {.bf16_pairs = pairs, .rows = pixels, .a = bordered, .a_rows = places,
                  .a_step = 1, .runs = g->kernel_height, .run_length = g->kernel_width * pixel,
                  .run_step = b.outer_width * pixel, .panel = panel, .c_rows = places + pixels};
  for (long first = 0; first < g->output_channels; first += width) {
    job.columns = g->output_channels - first < width ? g->output_channels - first : width;
    for (long p = 0; p < g->kernel_height * g->kernel_width; p++)
      ck_pack_panels(pairs, l->w + p * g->input_channels * g->output_channels + first, 0,
                     g->output_channels, g->input_channels, job.columns, 0,
                     panel + p * pixel * width);
    job.c = y + first;
    ck_multiply_tiles(&job);
  }
  free(bordered), free(panel), free(places);
}

/// The adjoint of a convolution with stride 1 is one with the kernel turned around.
static void convolve_transposed(const layer *l, int pairs, float *x) {
  const ck_geometry *g = &l->g;
  layer turned = *l;
  turned.g = (ck_geometry){g->output_height, g->output_width, g->output_channels,
                           g->input_height, g->input_width, g->input_channels, g->kernel_height,
                           g->kernel_width, 1, 1, g->kernel_height - 1 - g->padding_top,
                           g->kernel_width - 1 - g->padding_left};
  long places = g->kernel_height * g->kernel_width, size = g->input_channels * g->output_channels;
  turned.x = l->y, turned.w = floats(places * size);
  for (long p = 0; p < places; p++)
    ck_transpose(l->w + p * size, g->output_channels, turned.w + (places - 1 - p) * size,
                 g->input_channels, g->input_channels, g->output_channels);
  convolve(&turned, pairs, x);
  free(turned.w);
}

/// Columns of the bordered images times panels of the output.
static void contract_pixels(const layer *l, int pairs, float *dw) {
  const ck_geometry *g = &l->g;
  ck_border b = border_of(g);
  ck_tile_shape shape = ck_shape_of_tiles();
  long run = g->kernel_width * g->input_channels;
  long pixels = l->images * g->output_height * g->output_width;
  long length = pairs ? (pixels + 1) / 2 : pixels;
  long panels = (g->output_channels + shape.columns - 1) / shape.columns;
  float *bordered = floats(l->images * b.outer_height * b.outer_width * g->input_channels);
  float *panel = floats(panels * length * shape.columns), *packed = floats((run + 8) * length);
  long *lines = places_of(l, &b, g->input_channels), *places = integers(2 * run);
  ck_pack_images(0, l->x, &b, l->images, bordered);
  ck_pack_panels(pairs, l->y, 0, g->output_channels, pixels, g->output_channels,
                 length * shape.columns, panel);
  for (long r = 0; r < run; r++) {
    places[r] = r / shape.rows * shape.rows * length + r % shape.rows;
    places[run + r] = r * g->output_channels;
  }
  for (long a = 0; a < g->kernel_height; a++) {
    ck_pack_columns(pairs, bordered + a * b.outer_width * g->input_channels, lines, pixels, run,
                    packed);
    for (long p = 0; p < panels; p++) {
      long first = p * shape.columns, left = g->output_channels - first;
      ck_tiles job = {.bf16_pairs = pairs, .rows = run, .a = packed, .a_rows = places,
                      .a_step = shape.rows, .runs = 1, .run_length = length,
                      .columns = left < shape.columns ? left : shape.columns,
                      .panel = panel + p * length * shape.columns, .c_rows = places + run,
                      .c = dw + a * run * g->output_channels + first};
      ck_multiply_tiles(&job);
    }
  }
  free(bordered), free(panel), free(packed), free(lines), free(places);
}

static void check_tiles(const layer *l, int pairs) {
  const char *form = pairs ? "tiles bf16" : "tiles float32";
  double limit = pairs ? 2e-6 : 1e-6;
  float *y = floats(output_size(l)), *x = floats(input_size(l)), *w = floats(weights_size(&l->g));
  convolve(l, pairs, y);
  report(l, form, FORWARD, y, limit);
  if (l->g.stride_height == 1 && l->g.stride_width == 1) {
    convolve_transposed(l, pairs, x);
    report(l, form, TRANSPOSED, x, limit);
  }
  contract_pixels(l, pairs, w);
  report(l, form, GRADIENT, w, limit);
  free(y), free(x), free(w);
}

// im2col and col2im.

static void check_im2col(const layer *l, int narrow) {
  const ck_geometry *g = &l->g;
  const char *form = narrow ? "narrow im2col" : "im2col";
  long pixels = l->images * g->output_height * g->output_width, o = g->output_channels;
  long field = g->kernel_height * g->kernel_width * g->input_channels;
  float *col = floats(pixels * field), *bordered = floats(ck_bordered_count(g));
  float *y = floats(pixels * o), *x = floats(input_size(l)), *w = floats(field * o);
  if (narrow)
    ck_im2col_narrow(l->x, g, l->images, bordered, col);
  else
    ck_im2col(l->x, g, l->images, 0, g->kernel_height, col);
  multiply((product){.m = pixels, .n = o, .k = field}, col, field, l->w, o, y, o);
  report(l, form, FORWARD, y, 1e-6);
  multiply((product){.a_transposed = 1, .m = field, .n = o, .k = pixels}, col, field, l->y, o, w,
           o);
  report(l, form, GRADIENT, w, 1e-6);
  multiply((product){.b_transposed = 1, .m = pixels, .n = field, .k = o}, l->y, o, l->w, o, col,
           field);
  if (narrow)
    ck_col2im_narrow(col, g, l->images, bordered, x);
  else
    ck_col2im(col, g, l->images, x);
  report(l, form, TRANSPOSED, x, 1e-6);
  free(col), free(bordered), free(y), free(x), free(w);
}

/// Stride 1: rows of W' inputᵀ, W' [places * outputs, inputs], are planes that move and add up.
static void check_planar(const layer *l) {
  const ck_geometry *g = &l->g;
  long c = g->input_channels, o = g->output_channels, places = g->kernel_height * g->kernel_width;
  long rows = places * o, pixels = l->images * g->input_height * g->input_width;
  float *w = floats(rows * c), *planes = floats(rows * pixels), *line = floats(g->output_width);
  float *y = floats(output_size(l)), *x = floats(input_size(l)), *dw = floats(rows * c);
  float *one = floats(g->output_height * g->output_width * o);
  for (long p = 0; p < places; p++) ck_transpose(l->w + p * c * o, o, w + p * c * o, c, c, o);
  multiply((product){.b_transposed = 1, .m = rows, .n = pixels, .k = c}, w, c, l->x, c, planes,
           pixels);
  ck_col2im_planar(planes, g, l->images, line, y);
  report(l, "planar", FORWARD, y, 1e-6);
  ck_im2col_planar(l->y, g, l->images, one, planes);
  multiply((product){.a_transposed = 1, .m = pixels, .n = c, .k = rows}, planes, pixels, w, c, x,
           c);
  report(l, "planar", TRANSPOSED, x, 1e-6);
  multiply((product){.m = rows, .n = c, .k = pixels}, planes, pixels, l->x, c, dw, c);
  for (long p = 0; p < places; p++) ck_transpose(dw + p * c * o, c, w + p * c * o, o, o, c);
  report(l, "planar", GRADIENT, w, 1e-6);
  free(w), free(planes), free(line), free(y), free(x), free(dw), free(one);
}

/// By LatheKernels' choice. Winograd convolution rounds to bfloat16 in its own domain.
static void check_choice(ck_geometry g, int bfloat16) {
  layer l = make_layer(g, 3, bfloat16);
  long sizes[] = {output_size(&l), input_size(&l), weights_size(&g)};
  for (int direction = 0; direction < 3; direction++) {
    float *got = floats(sizes[direction]);
    lathe_convolve(direction, &g, l.images, direction == 1 ? got : l.x, direction == 0 ? got : l.y,
                   direction == 2 ? got : l.w, bfloat16);
    report(&l, bfloat16 ? "chosen bf16" : "chosen float32", direction, got,
           bfloat16 ? g.input_channels >= 32 && g.kernel_height > 1 ? 1e-2 : 2e-6 : 3e-6);
    free(got);
  }
  free_layer(&l);
}

void check_convolutions(void) {
  // Input, output, kernel, strides, padding: workloads' kinds of layers, and odd ones.
  static const ck_geometry geometries[] = {
      {16, 16, 6, 8, 8, 32, 4, 4, 2, 2, 1, 1}, {8, 8, 32, 4, 4, 40, 4, 4, 2, 2, 1, 1},
      {9, 7, 5, 9, 7, 17, 3, 3, 1, 1, 1, 1},   {28, 28, 1, 14, 14, 16, 5, 5, 2, 2, 2, 2},
      {10, 10, 3, 10, 10, 35, 5, 5, 1, 1, 2, 2}, {7, 9, 16, 7, 9, 3, 3, 5, 1, 1, 1, 2},
      {6, 6, 18, 6, 6, 1, 4, 4, 1, 1, 1, 1}};
  for (unsigned i = 0; i < sizeof geometries / sizeof *geometries; i++) {
    ck_geometry g = geometries[i];
    for (int pairs = 0; pairs <= (ck_has_tiles(1) != 0); pairs++) {
      layer l = make_layer(g, 3, pairs);
      check_tiles(&l, pairs);
      if (!pairs) check_im2col(&l, 0);
      if (!pairs && g.input_channels <= 4) check_im2col(&l, 1);
      if (!pairs && g.stride_height == 1 && g.output_channels <= 4) check_planar(&l);
      free_layer(&l);
    }
    for (int bfloat16 = 0; bfloat16 < 2 && lathe_convolve; bfloat16++) check_choice(g, bfloat16);
  }
  // Winograd convolution, and a GEMM.
  static const ck_geometry more[] = {{16, 16, 32, 8, 8, 34, 4, 4, 2, 2, 1, 1},
                                     {9, 7, 32, 9, 7, 35, 3, 3, 1, 1, 1, 1},
                                     {6, 7, 20, 6, 7, 19, 1, 1, 1, 1, 0, 0}};
  for (int i = 0; i < 6 && lathe_convolve; i++) check_choice(more[i / 2], i % 2);
}
