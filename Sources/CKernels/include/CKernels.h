// Loops without shapes, compiled once for each x86-64 level and chosen when the program starts; on
// arm64 once, for all processors.
//
// Counts are in floats unless said otherwise, matrices are row-major, `stride` is the distance
// between rows. An output may be one of the inputs where the comment says "in place"; otherwise
// they are apart.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// Elementwise. The numbers of the operations are the raw values of Kernels.Unary and
// Kernels.Binary.
enum {
  CK_EXP, CK_LOG, CK_SQRT, CK_SIGMOID, CK_TANH, CK_SOFTPLUS, CK_RELU, CK_NEGATE, CK_SQUARE,
  CK_RECIPROCAL, CK_ABSOLUTE, CK_SIGN, CK_SINE, CK_COSINE, CK_ROUND
};
enum {
  CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_MAXIMUM, CK_MINIMUM, CK_EQUAL, CK_GREATER
};
void ck_map(int operation, const float *x, float *y, long count);  // in place
void ck_affine(const float *x, float scale, float offset, float *y, long count);  // in place
void ck_clamp(const float *x, float from, float to, float *y, long count);  // in place
void ck_leaky_relu(const float *x, float slope, float *y, long count);  // in place
void ck_leaky_gate(const float *gradient, const float *x, float slope, float *y, long count);
void ck_clamp_gate(
    const float *gradient, const float *x, float from, float to, float *y, long count);
void ck_combine(
    int operation, const float *a, long a_step, const float *b, long b_step, float *y, long count);
void ck_combine_rows(
    int operation, const float *a, long a_row, long a_column, const float *b, long b_row,
    long b_column, float *y, long rows, long columns);
void ck_accumulate(const float *x, float scale, float *y, long count);  // y += scale x
void ck_fill(float *y, float value, long count);

// Reductions. The numbers of the operations are the raw values of Kernels.Reduction.
enum { CK_SUM, CK_LARGEST };
/// y[r] = the reduction of row r, rows of `count` floats.
void ck_reduce_rows(int operation, const float *x, long rows, long count, float *y);
/// y[c] = the reduction of column c; at most CK_BLOCK columns.
void ck_reduce_columns(
    int operation, const float *x, long stride, long rows, long columns, float *y);
float ck_dot(const float *a, const float *b, long count);
int ck_is_finite(const float *x, long count);
enum { CK_BLOCK = 1024 };

// Movement.
void ck_copy_rows(
    const float *x, long x_stride, float *y, long y_stride, long rows, long length);
/// y[c * y_stride + r] = x[r * x_stride + c].
void ck_transpose(const float *x, long x_stride, float *y, long y_stride, long rows, long columns);
void ck_gather_rows(const float *x, const int *indices, long rows, long length, float *y);
void ck_scatter_add_rows(const float *x, const int *indices, long rows, long length, float *y);

// Convolution: `images` images, their pixels NHWC; weights are [kernel height, kernel width, input,
// output].
typedef struct {
  long input_height, input_width, input_channels;
  long output_height, output_width, output_channels;
  long kernel_height, kernel_width, stride_height, stride_width, padding_top, padding_left;
} ck_geometry;
/// What each output pixel sees through kernel rows `first` ..< `first + kernel_rows`: a matrix
/// [images * output pixels, kernel_rows * kernel width * input channels]; zero outside the image.
void ck_im2col(
    const float *input, const ck_geometry *g, long images, long first, long kernel_rows,
    float *col);
/// The adjoint of ck_im2col for all kernel rows: each input pixel is the sum of its places in
/// `col`.
void ck_col2im(const float *col, const ck_geometry *g, long images, float *input);
/// The same two for few input channels, by way of one image with a border of zeros.
void ck_im2col_narrow(
    const float *input, const ck_geometry *g, long images, float *bordered, float *col);
void ck_col2im_narrow(
    const float *col, const ck_geometry *g, long images, float *bordered, float *input);
long ck_bordered_count(const ck_geometry *g);
/// For few output channels and stride 1, a matrix [kernel places * output channels, images * input
/// pixels]: row (a, b, o) is channel o of the output image, moved to where kernel place (a, b)
/// meets the input one. `planes` holds the channels of one image.
void ck_im2col_planar(
    const float *output, const ck_geometry *g, long images, float *planes, float *col);
/// The adjoint of ck_im2col_planar. `line` holds one row of one channel.
void ck_col2im_planar(
    const float *col, const ck_geometry *g, long images, float *line, float *output);

// Winograd convolution, NHWC. In each phase of the input, a tile of output pixels sees 5 or 8 input
// pixels along an axis. The input transform maps them to as many elements of the Winograd domain,
// for each of which the convolution is a GEMM [tiles, lines] [lines, output channels]. A line is an
// input channel of one phase. Phases are those of the stride, for each group of `taps` taps.
typedef struct {
  ck_geometry geometry;
  // Of a phase: 2 or 3, for 4 or 3 output pixels; 1 for 1, on one axis only, beside 3, or beside 4
  // for 5 output pixels.
  long taps_down, taps_across;
  long tiles_down, tiles_across;   // of an image
  long phases_across;
  int phases_meet;                 // whether phases share input pixels
} ck_winograd;
/// Tiles, counted on from image to image, or lines: `first` ..< `first + count`; of a tile's input
/// pixels those of one phase; and `channels` channels from `channel` on, at most CK_BLOCK.
typedef struct {
  long first, count, phase, channel, channels;
} ck_lines;
/// Element p of the domain of tile or line t begins at start + p * apart + t * stride.
typedef struct {
  float *start;
  long stride, apart;
} ck_winograd_domain;
void ck_winograd_input_transform(
    const float *input, const ck_winograd *w, ck_lines lines, ck_winograd_domain domain);
/// The adjoint: of an image's tiles the first one first, all of them. Where phases share input
/// pixels, added to these.
void ck_winograd_input_transform_adjoint(
    ck_winograd_domain domain, const ck_winograd *w, ck_lines lines, float *input);
/// The adjoint of ck_winograd_output_transform.
void ck_winograd_output_transform_adjoint(
    const float *output, const ck_winograd *w, ck_lines lines, ck_winograd_domain domain);
void ck_winograd_output_transform(
    ck_winograd_domain domain, const ck_winograd *w, ck_lines lines, float *output);
void ck_winograd_filter_transform(
    const float *weights, const ck_winograd *w, ck_lines lines, ck_winograd_domain domain);
/// The adjoint, added to the weights if `adds`.
void ck_winograd_filter_transform_adjoint(
    ck_winograd_domain domain, const ck_winograd *w, ck_lines lines, int adds, float *weights);

// Pooling: images NHWC; a window's part outside the image is left out of it. Each has a part
// inside.
typedef struct {
  long height, width, channels, out_height, out_width, kernel, stride, padding;
} ck_window;
/// Rows `row` ..< `row + rows` of the outputs of all images, counted on from image to image.
void ck_max_pool(const float *x, const ck_window *w, long row, long rows, float *y);
/// The same with the mean of the window's pixels inside the image.
void ck_average_pool(const float *x, const ck_window *w, long row, long rows, float *y);
/// y = upper + share (lower - upper).
void ck_blend_rows(const float *upper, const float *lower, float share, long count, float *y);
/// y[j] = the same of pixels left[j] and right[j] of a row.
void ck_blend_pixels(
    const float *row, const long *left, const long *right, const float *share, long width,
    long channels, float *y);

// GEMM by tiles. Operands are packed elements of 32 bits: floats, or bf16 pairs, numbers that
// follow each other along the contraction.
/// Rows and columns of a tile; a panel is as wide.
typedef struct {
  long rows, columns;
} ck_tile_shape;
/// That of this processor's tiles: 8 x 32 with AVX-512, 6 x 16 with AVX2, 4 x 16 on arm64.
ck_tile_shape ck_shape_of_tiles(void);
/// Lines of a panel to fetch into the cache meanwhile.
typedef struct {
  const float *start;
  long stride, rows;
} ck_ahead;
/// C = A B or C += A B for at most a panel of columns of C.
typedef struct {
  int bf16_pairs;          // of bfloat16 numbers, instead of floats
  int adds;              // to C
  int streams;           // C past the cache, if its rows are aligned to 64 bytes
  long rows, columns;    // of C
  // Row r begins at a + a_rows[r] and consists of `runs` runs of `run_length` elements, `run_step`
  // apart; elements are a_step apart, 1 or a tile's rows.
  const float *a;
  const long *a_rows;
  long a_step, runs, run_length, run_step;
  const float *panel;    // [runs * run_length, columns of a tile]
  // NULL, or lines of floats, `source_stride` apart, that become the panel in passing.
  const float *source;
  long source_stride;
  float *c;              // row r begins at c + c_rows[r]
  const long *c_rows;
  ck_ahead ahead;
} ck_tiles;
void ck_multiply_tiles(const ck_tiles *job);
/// Whether the processor has tiles of floats, or of pairs.
int ck_has_tiles(int bf16_pairs);

// Operands of tiles. With `bf16_pairs`, numbers become pairs along the contraction, rounded to
// nearest even, and an odd contraction gets a zero at its end; lengths are in numbers, results in
// elements. Only where the processor has such tiles.
/// panel[l, j] = b[l * stride + j], or b[j * stride + l] if transposed; further columns in further
/// panels, `apart` elements from one to the next; zeros beyond `columns`.
void ck_pack_panels(
    int bf16_pairs, const float *b, int transposed, long stride, long length, long columns,
    long apart, float *panels);
/// The left operand from its columns, side by side in `length` rows that begin at a + rows[l]:
/// [columns / rows of a tile, length, rows of a tile], the last tile of any value beyond `columns`.
void ck_pack_columns(
    int bf16_pairs, const float *a, const long *rows, long length, long columns, float *packed);
/// Rows of numbers as rows of pairs.
void ck_pack_rows(const float *a, long stride, long rows, long length, float *packed);
/// Images [height, width, channels] inside images [outer_height, outer_width, elements of the
/// channels], at (top, left); around them zeros.
typedef struct {
  long height, width, channels, top, left, outer_height, outer_width;
} ck_border;
void ck_pack_images(int bf16_pairs, const float *x, const ck_border *b, long images, float *packed);
/// y = x as bfloat16 numbers of 16 bits, ties to even. y may begin where x does.
void ck_to_bfloat16(const float *x, void *y, long count);
/// y = the bfloat16 numbers x. x may be the second half of y.
void ck_from_bfloat16(const void *x, float *y, long count);
/// y = x, rounded to bfloat16.
void ck_round_to_bfloat16(const float *x, float *y, long count);

// Normalisation: at most CK_BLOCK columns of a matrix.
/// guess[c] ~ mean of column c; sum[c] and squares[c] add up (x - guess) and its square.
void ck_moments(
    const float *x, long stride, long rows, long columns, float *guess, float *sum,
    float *squares);
void ck_normalize(
    const float *x, long stride, long rows, long columns, const float *mean, const float *scale,
    const float *offset, int relu, float *y);
/// sum[c] adds up g, product[c] adds up g (x - mean), where g is the gradient. After ReLU, with
/// `shift`, it is 0 where (x - mean) scale + shift <= 0.
void ck_gradient_sums(
    const float *gradient, const float *x, long stride, long rows, long columns, const float *mean,
    const float *scale, const float *shift, float *sum, float *product);
/// dx = scale (g - offset - slope (x - mean)); dx may be the gradient.
void ck_normalize_gradient(
    const float *gradient, const float *x, long stride, long rows, long columns, const float *mean,
    const float *scale, const float *shift, const float *offset, const float *slope, float *dx);

// Fused passes.
/// y = x + bias, then ReLU if asked; contiguous rows.
void ck_add_bias(  // in place
    const float *x, const float *bias, long rows, long columns, int relu, float *y);
/// dx = the gradient where y > 0 and 0 elsewhere, unless dx is NULL, and sums[c] adds up its column
/// c; at most CK_BLOCK columns; in place.
void ck_gated_sums(
    const float *gradient, const float *y, long stride, long rows, long columns, float *dx,
    float *sums);

// Updates: 1 when every gradient is finite, otherwise 0.
typedef struct {
  float learning_rate, beta1, beta2, epsilon, gradient_scale;
} ck_adam_rule;
int ck_adam(float *p, const float *g, float *m, float *v, long count, ck_adam_rule rule);
typedef struct {
  float learning_rate, decay, momentum_factor, epsilon, gradient_scale;
} ck_rms_prop_rule;
int ck_rms_prop(
    float *p, const float *g, float *mean_square, float *momentum, long count,
    ck_rms_prop_rule rule);
typedef struct {
  float learning_rate, momentum, gradient_scale;
  int nesterov;
} ck_momentum_rule;
int ck_momentum_descent(
    float *p, const float *g, float *velocity, long count, ck_momentum_rule rule);

// Random numbers: Philox4x32-10.
typedef struct {
  unsigned word[4];
} ck_philox_block;
ck_philox_block ck_philox(ck_philox_block counter, unsigned key0, unsigned key1);
void ck_random_uniform(float *y, long count, unsigned long long key, unsigned long long offset);
void ck_random_normal(float *y, long count, unsigned long long key, unsigned long long offset);
/// How many numbers are further than `limit` from 0.
long ck_count_beyond(const float *x, long count, float limit);
/// The first place from `start` on where x − y is at least `least`; `count` if there is none.
long ck_first_reaching(const float *x, const float *y, float least, long start, long count);
/// Replaces them by `values`, in order.
void ck_replace_beyond(float *x, long count, float limit, const float *values);

// Points of a plane.
enum { CK_FORCE_LANES = 16 };
/// With w[j] = 1/(1 + |point i − point j|²): the sum of w over the others, Σ p w (i − j) and Σ w²
/// (i − j), x before y. `stride` points, whole lanes; those far outside weigh nothing.
void ck_student_forces(
    const float *p, const float *x, const float *y, long i, long stride, float *forces);

// Memory of the calling thread, kept from call to call; NULL when the system has none.
enum {
  CK_SCRATCH_IM2COL, CK_SCRATCH_IMAGE, CK_SCRATCH_WEIGHTS, CK_SCRATCH_PARTIALS, CK_SCRATCH_LEFT,
  CK_SCRATCH_PANEL, CK_SCRATCH_PANELS, CK_SCRATCH_BLOCK, CK_SCRATCH_ROWS, CK_SCRATCH_PLACES,
  CK_SCRATCH_LINES, CK_SCRATCH_ROUNDED_LEFT, CK_SCRATCH_ROUNDED_RIGHT, CK_SCRATCHES
};
float *ck_scratch(int slot, long count);

// Threads.
typedef void (*ck_body)(void *context, long piece, long worker);
long ck_worker_count(void);
/// The number of threads there now are, which is smaller than asked when the system refuses.
long ck_set_worker_count(long threads);
void ck_for_each(long pieces, ck_body body, void *context);

// Processor.
const char *ck_instruction_set(void);
int ck_has_bfloat16(void);
/// Peak FLOP/s of one core, multiplications and additions counted apart: the best of many short
/// runs.
double ck_measure_peak(double seconds);

#ifdef __cplusplus
}
#endif
