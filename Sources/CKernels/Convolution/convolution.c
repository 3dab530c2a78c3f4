#include "CKernels.h"
#include "../clones.h"

/// One kernel row over one input row: what an output pixel sees, with zeros beyond both ends.
INLINE void im2col_run(const float *row, long first, const ck_geometry *g, float *run) {
  long channels = g->input_channels;
  long left = min_long(max_long(-first, 0), g->kernel_width);
  long end = max_long(min_long(g->input_width - first, g->kernel_width), left);
  memset(run, 0, (size_t)(left * channels) * sizeof *run);
  memcpy(
      run + left * channels, row + (first + left) * channels,
      (size_t)((end - left) * channels) * sizeof *run);
  memset(run + end * channels, 0, (size_t)((g->kernel_width - end) * channels) * sizeof *run);
}

/// Kernel row `a` for the output row `i` of one image; output pixels are `stride` apart in `col`.
INLINE void im2col_row(
    const float *image, const ck_geometry *g, long i, long a, long stride, float *col) {
  long p = i * g->stride_height - g->padding_top + a;
  long run = g->kernel_width * g->input_channels;
  int outside = p < 0 || p >= g->input_height;
  const float *row = outside ? image : image + p * g->input_width * g->input_channels;
  for (long j = 0; j < g->output_width; j++) {
    float *to = col + j * stride;
    if (outside)
      memset(to, 0, (size_t)run * sizeof *to);
    else
      im2col_run(row, j * g->stride_width - g->padding_left, g, to);
  }
}

CLONED void ck_im2col(
    const float *input, const ck_geometry *g, long images, long first, long kernel_rows,
    float *col) {
  long run = g->kernel_width * g->input_channels, stride = kernel_rows * run;
  long image = g->input_height * g->input_width * g->input_channels;
  for (long n = 0; n < images; n++)
    for (long i = 0; i < g->output_height; i++) {
      float *rows = col + (n * g->output_height + i) * g->output_width * stride;
      for (long a = 0; a < kernel_rows; a++)
        im2col_row(input + n * image, g, i, first + a, stride, rows + a * run);
    }
}

/// Up to four runs that add up to one pixel, and whether the pixel already holds earlier ones.
typedef struct {
  const float *run[4];
  long runs;
  int begun;
} pixel_sum;

INLINE float four_runs(const pixel_sum *s, long runs, long c) {
  float sum = s->run[0][c];
  if (runs > 1) sum += s->run[1][c];
  if (runs > 2) sum += s->run[2][c];
  if (runs > 3) sum += s->run[3][c];
  return sum;
}

INLINE void add_runs(const pixel_sum *s, long runs, int begun, long channels, float *pixel) {
  INDEPENDENT
  for (long c = 0; c < channels; c++)
    pixel[c] = begun ? pixel[c] + four_runs(s, runs, c) : four_runs(s, runs, c);
}

/// Adds the runs to the pixel, or makes it of them, in a loop of its own for each number of runs.
INLINE void flush_runs(pixel_sum *s, long channels, float *pixel) {
  switch (s->runs + (s->begun ? 4 : 0)) {
    case 0: memset(pixel, 0, (size_t)channels * sizeof *pixel); break;
    case 1: add_runs(s, 1, 0, channels, pixel); break;
    case 2: add_runs(s, 2, 0, channels, pixel); break;
    case 3: add_runs(s, 3, 0, channels, pixel); break;
    case 4: add_runs(s, 4, 0, channels, pixel); break;
    case 5: add_runs(s, 1, 1, channels, pixel); break;
    case 6: add_runs(s, 2, 1, channels, pixel); break;
    case 7: add_runs(s, 3, 1, channels, pixel); break;
    case 8: add_runs(s, 4, 1, channels, pixel); break;
  }
  s->begun = 1;
  s->runs = 0;
}

/// Along one axis: the kernel places first, first + stride, … reach output pixels last, last − 1, …
typedef struct {
  long place, pixel;
} meeting;

INLINE meeting first_meeting(long input, long padding, long stride) {
  meeting m = {(input + padding) % stride, (input + padding) / stride};
  return m;
}

INLINE void col2im_pixel(
    const float *col, const ck_geometry *g, meeting rows, meeting columns, float *pixel) {
  long channels = g->input_channels, run = g->kernel_width * channels;
  pixel_sum sum = {.runs = 0, .begun = 0};
  for (long a = rows.place, i = rows.pixel; a < g->kernel_height && i >= 0;
       a += g->stride_height, i--) {
    if (i >= g->output_height) continue;
    for (long b = columns.place, j = columns.pixel; b < g->kernel_width && j >= 0;
         b += g->stride_width, j--) {
      if (j >= g->output_width) continue;
      if (sum.runs == 4) flush_runs(&sum, channels, pixel);
      sum.run[sum.runs++] = col + (i * g->output_width + j) * g->kernel_height * run +
                            a * run + b * channels;
    }
  }
  if (sum.runs > 0 || !sum.begun) flush_runs(&sum, channels, pixel);
}

INLINE void col2im_image(const float *col, const ck_geometry *g, float *image) {
  for (long p = 0; p < g->input_height; p++) {
    meeting rows = first_meeting(p, g->padding_top, g->stride_height);
    for (long q = 0; q < g->input_width; q++) {
      meeting columns = first_meeting(q, g->padding_left, g->stride_width);
      float *pixel = image + (p * g->input_width + q) * g->input_channels;
      col2im_pixel(col, g, rows, columns, pixel);
    }
  }
}

CLONED void ck_col2im(
    const float *col, const ck_geometry *g, long images, float *input) {
  long of_image = g->output_height * g->output_width * g->kernel_height * g->kernel_width *
                  g->input_channels;
  long image = g->input_height * g->input_width * g->input_channels;
  for (long n = 0; n < images; n++) col2im_image(col + n * of_image, g, input + n * image);
}

// Few input channels: the image gets a border of zeros, so that every receptive field lies inside.

INLINE long bordered_height(const ck_geometry *g) {
  long seen = (g->output_height - 1) * g->stride_height + g->kernel_height;
  return max_long(seen, g->padding_top + g->input_height);
}

INLINE long bordered_width(const ck_geometry *g) {
  long seen = (g->output_width - 1) * g->stride_width + g->kernel_width;
  return max_long(seen, g->padding_left + g->input_width);
}

long ck_bordered_count(const ck_geometry *g) {
  return bordered_height(g) * bordered_width(g) * g->input_channels;
}

INLINE float *inside_border(float *bordered, const ck_geometry *g, long p) {
  return bordered +
         ((g->padding_top + p) * bordered_width(g) + g->padding_left) * g->input_channels;
}

INLINE void copy_run(const float *from, float *to, long length) {
  for (long c = 0; c < length; c++) to[c] = from[c];
}

INLINE void add_run(const float *from, float *to, long length) {
  for (long c = 0; c < length; c++) to[c] += from[c];
}

/// Moves every run of one image between its bordered form and its im2col rows.
INLINE void move_runs(
    const ck_geometry *g, float *bordered, float *col, long run, int into_image) {
  long line = bordered_width(g) * g->input_channels;
  long across = g->stride_width * g->input_channels;
  float *place = col;
  for (long i = 0; i < g->output_height; i++)
    for (long j = 0; j < g->output_width; j++)
      for (long a = 0; a < g->kernel_height; a++, place += run) {
        float *seen = bordered + (i * g->stride_height + a) * line + j * across;
        if (into_image)
          add_run(place, seen, run);
        else
          copy_run(seen, place, run);
      }
}

/// The usual lengths of a run get loops of their own: kernel widths 3, 4 and 5 with 1 or 3
/// channels.
INLINE void move_columns(
    const ck_geometry *g, float *bordered, float *col, int into_image) {
  switch (g->kernel_width * g->input_channels) {
    case 3: move_runs(g, bordered, col, 3, into_image); break;
    case 4: move_runs(g, bordered, col, 4, into_image); break;
    case 5: move_runs(g, bordered, col, 5, into_image); break;
    case 9: move_runs(g, bordered, col, 9, into_image); break;
    case 12: move_runs(g, bordered, col, 12, into_image); break;
    case 15: move_runs(g, bordered, col, 15, into_image); break;
    default:
      move_runs(g, bordered, col, g->kernel_width * g->input_channels, into_image);
  }
}

CLONED void ck_im2col_narrow(
    const float *input, const ck_geometry *g, long images, float *bordered, float *col) {
  long line = g->input_width * g->input_channels;
  long of_image = g->output_height * g->output_width * g->kernel_height * g->kernel_width *
                  g->input_channels;
  memset(bordered, 0, (size_t)ck_bordered_count(g) * sizeof *bordered);
  for (long n = 0; n < images; n++) {
    for (long p = 0; p < g->input_height; p++)
      memcpy(
          inside_border(bordered, g, p), input + (n * g->input_height + p) * line,
          (size_t)line * sizeof *input);
    move_columns(g, bordered, col + n * of_image, 0);
  }
}

CLONED void ck_col2im_narrow(
    const float *col, const ck_geometry *g, long images, float *bordered, float *input) {
  long line = g->input_width * g->input_channels;
  long of_image = g->output_height * g->output_width * g->kernel_height * g->kernel_width *
                  g->input_channels;
  for (long n = 0; n < images; n++) {
    memset(bordered, 0, (size_t)ck_bordered_count(g) * sizeof *bordered);
    move_columns(g, bordered, (float *)col + n * of_image, 1);
    for (long p = 0; p < g->input_height; p++)
      memcpy(
          input + (n * g->input_height + p) * line, inside_border(bordered, g, p),
          (size_t)line * sizeof *input);
  }
}

// Few output channels, stride 1: planes of one channel, moved as a whole.

/// Where a line of the output image, moved by `by`, overlaps the input one: input pixels from ..<
/// to.
typedef struct {
  long from, to;
} overlap;

INLINE overlap overlap_of(long input, long output, long by) {
  overlap o = {min_long(max_long(by, 0), input), max_long(min_long(output + by, input), 0)};
  if (o.to < o.from) o.to = o.from;
  return o;
}

INLINE void split_planes(const float *output, const ck_geometry *g, float *planes) {
  long pixels = g->output_height * g->output_width, channels = g->output_channels;
  for (long o = 0; o < channels; o++)
    for (long i = 0; i < pixels; i++) planes[o * pixels + i] = output[i * channels + o];
}

/// An output plane on the input image's pixels, moved down by `down` and right by `right`.
INLINE void move_plane(
    const float *plane, const ck_geometry *g, long down, long right, float *moved) {
  long width = g->input_width;
  overlap rows = overlap_of(g->input_height, g->output_height, down);
  overlap columns = overlap_of(width, g->output_width, right);
  memset(moved, 0, (size_t)(rows.from * width) * sizeof *moved);
  for (long p = rows.from; p < rows.to; p++) {
    float *to = moved + p * width;
    memset(to, 0, (size_t)columns.from * sizeof *to);
    memcpy(
        to + columns.from, plane + (p - down) * g->output_width + (columns.from - right),
        (size_t)(columns.to - columns.from) * sizeof *to);
    memset(to + columns.to, 0, (size_t)(width - columns.to) * sizeof *to);
  }
  memset(
      moved + rows.to * width, 0, (size_t)((g->input_height - rows.to) * width) * sizeof *moved);
}

CLONED void ck_im2col_planar(
    const float *output, const ck_geometry *g, long images, float *planes, float *col) {
  long input = g->input_height * g->input_width, pixels = g->output_height * g->output_width;
  for (long n = 0; n < images; n++) {
    split_planes(output + n * pixels * g->output_channels, g, planes);
    for (long a = 0; a < g->kernel_height; a++)
      for (long b = 0; b < g->kernel_width; b++)
        for (long o = 0; o < g->output_channels; o++) {
          long row = (a * g->kernel_width + b) * g->output_channels + o;
          move_plane(
              planes + o * pixels, g, a - g->padding_top, b - g->padding_left,
              col + (row * images + n) * input);
        }
  }
}

/// line[j] = the sum over kernel places of the input pixels that output pixel (i, j) sees there.
INLINE void sum_line(
    const float *col, const ck_geometry *g, long channel_step, long place_step, long i,
    float *line) {
  memset(line, 0, (size_t)g->output_width * sizeof *line);
  for (long a = 0; a < g->kernel_height; a++) {
    long p = i - g->padding_top + a;
    if (p < 0 || p >= g->input_height) continue;
    for (long b = 0; b < g->kernel_width; b++) {
      long right = b - g->padding_left;
      overlap seen = overlap_of(g->input_width, g->output_width, right);
      const float *plane = col + (a * g->kernel_width + b) * place_step;
      const float *from = plane + channel_step + p * g->input_width + seen.from;
      float *to = line + seen.from - right;
      INDEPENDENT
      for (long j = 0; j < seen.to - seen.from; j++) to[j] += from[j];
    }
  }
}

CLONED void ck_col2im_planar(
    const float *col, const ck_geometry *g, long images, float *line, float *output) {
  long input = g->input_height * g->input_width, channels = g->output_channels;
  long plane = images * input;
  for (long n = 0; n < images; n++)
    for (long i = 0; i < g->output_height; i++)
      for (long o = 0; o < channels; o++) {
        float *to = output + (n * g->output_height + i) * g->output_width * channels + o;
        sum_line(col + n * input, g, o * plane, channels * plane, i, line);
        for (long j = 0; j < g->output_width; j++) to[j * channels] = line[j];
      }
}
