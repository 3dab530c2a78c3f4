// GEMM in all transpositions, at sizes beside those of tiles.
#include "driver.h"

enum { K_BLOCK = 256 };

static long elements(int pairs, long numbers) { return pairs ? (numbers + 1) / 2 : numbers; }

/// The left operand's rows of one K block: where they lie, as rows of pairs, or as columns side by
/// side.
static void take_left(product p, const float *a, long stride, long first, long taken,
                      ck_tiles *job, long *rows) {
  long length = elements(p.pairs, taken), tile = ck_shape_of_tiles().rows;
  job->a_step = p.a_transposed ? tile : 1;
  job->a = a + (p.a_transposed ? first * stride : first);
  if (!p.a_transposed && !p.pairs) {
    for (long r = 0; r < p.m; r++) rows[r] = r * stride;
    return;
  }
  float *packed = floats((p.m + tile) * length);
  if (p.a_transposed) {
    long *lines = integers(taken);
    for (long l = 0; l < taken; l++) lines[l] = l * stride;
    ck_pack_columns(p.pairs, job->a, lines, taken, p.m, packed);
    free(lines);
    for (long r = 0; r < p.m; r++) rows[r] = r / tile * tile * length + r % tile;
  } else {
    ck_pack_rows(job->a, stride, p.m, taken, packed);
    for (long r = 0; r < p.m; r++) rows[r] = r * length;
  }
  job->a = packed;
}

/// All panels of one K block.
static void multiply_block(product p, const float *a, long a_stride, const float *b, long b_stride,
                           float *c, long c_stride, long first, long taken) {
  long width = ck_shape_of_tiles().columns, length = elements(p.pairs, taken);
  long panels = (p.n + width - 1) / width;
  float *packed = floats(panels * length * width);
  ck_pack_panels(p.pairs, b + (p.b_transposed ? first : first * b_stride), p.b_transposed, b_stride,
                 taken, p.n, length * width, packed);
  long *places = integers(2 * p.m);
  ck_tiles job = {.bf16_pairs = p.pairs, .adds = p.adds || first > 0, .rows = p.m, .runs = 1,
                  .run_length = length, .a_rows = places, .c_rows = places + p.m};
  take_left(p, a, a_stride, first, taken, &job, places);
  for (long r = 0; r < p.m; r++) places[p.m + r] = r * c_stride;
  for (long panel = 0; panel < panels; panel++) {
    job.columns = p.n - panel * width < width ? p.n - panel * width : width;
    job.panel = packed + panel * length * width;
    job.c = c + panel * width;
    ck_multiply_tiles(&job);
  }
  if (job.a_step != 1 || p.pairs) free((void *)job.a);
  free(packed), free(places);
}

void multiply(product p, const float *a, long a_stride, const float *b, long b_stride, float *c,
              long c_stride) {
  long together = p.pairs ? 2 * K_BLOCK : K_BLOCK;
  for (long first = 0; first < p.k; first += together)
    multiply_block(p, a, a_stride, b, b_stride, c, c_stride, first,
                   p.k - first < together ? p.k - first : together);
}

/// op(A) op(B) + C in double precision, and the sum of magnitudes.
static void reference(product p, const float *a, const float *b, const float *c, double *want,
                      double *scale) {
  for (long i = 0; i < p.m; i++)
    for (long j = 0; j < p.n; j++) {
      double sum = p.adds ? c[i * p.n + j] : 0, size = fabs(sum);
      for (long l = 0; l < p.k; l++) {
        double term = (double)a[p.a_transposed ? l * p.m + i : i * p.k + l] *
                      b[p.b_transposed ? j * p.k + l : l * p.n + j];
        sum += term, size += fabs(term);
      }
      want[i * p.n + j] = sum, scale[i * p.n + j] = size + 1e-30;
    }
}

/// By the tiles, or by LatheKernels' choice.
static void check(product p, int by_choice) {
  float *a = p.pairs ? rounded_values(p.m * p.k, 1) : values(p.m * p.k, 1);
  float *b = p.pairs ? rounded_values(p.k * p.n, 2) : values(p.k * p.n, 2);
  float *c = values(p.m * p.n, 3);
  double *want = doubles(p.m * p.n), *scale = doubles(p.m * p.n);
  reference(p, a, b, c, want, scale);
  if (by_choice)
    lathe_gemm(a, p.a_transposed, b, p.b_transposed, c, p.m, p.n, p.k, p.adds, p.pairs);
  else
    multiply(p, a, p.a_transposed ? p.m : p.k, b, p.b_transposed ? p.k : p.n, c, p.n);
  char name[100];
  snprintf(name, sizeof name, "%s %s %c%c%s %ldx%ldx%ld", by_choice ? "GEMM" : "gemm",
           p.pairs ? "bf16" : "float32", p.a_transposed ? 't' : 'n', p.b_transposed ? 't' : 'n',
           p.adds ? " adds" : "", p.m, p.n, p.k);
  compare(name, c, want, scale, p.m * p.n, p.pairs ? 2e-6 : 1e-6);
  free(a), free(b), free(c), free(want), free(scale);
}

/// The panel copied from lines in passing, with others fetched meanwhile, gives the same bits.
static void check_source(int pairs) {
  long width = ck_shape_of_tiles().columns, m = 37, words = 43, k = pairs ? 2 * words : words;
  float *a = values(m * k, 4), *b = values(k * width, 5), *c = floats(m * width);
  float *d = floats(m * width), *panel = floats(words * width), *rows = floats(m * words);
  long *places = integers(2 * m);
  for (long r = 0; r < m; r++) places[r] = r * words, places[m + r] = r * width;
  if (pairs) ck_pack_rows(a, k, m, k, rows);
  ck_tiles job = {.bf16_pairs = pairs, .rows = m, .columns = width, .a = pairs ? rows : a,
                  .a_rows = places, .a_step = 1, .runs = 1, .run_length = words, .panel = panel,
                  .source = b, .source_stride = width, .c = c, .c_rows = places + m,
                  .ahead = {b, width, k}};
  ck_multiply_tiles(&job);
  multiply((product){.pairs = pairs, .m = m, .n = width, .k = k}, a, k, b, width, d, width);
  expect_equal(pairs ? "source bf16" : "source float32", c, d, m * width);
}

/// Sizes × transpositions × whether it adds.
static void check_sizes(int pairs, const long (*sizes)[3], long count, int by_choice) {
  for (long s = 0; s < count; s++)
    for (int t = 0; t < 8; t++)
      check((product){pairs, t & 1, t >> 1 & 1, t >> 2, sizes[s][0], sizes[s][1], sizes[s][2]},
            by_choice);
}

void check_gemm(void) {
  static const long sizes[][3] = {{1, 1, 1},     {4, 16, 8},   {3, 5, 7},     {6, 16, 9},
                                  {5, 17, 31},   {12, 33, 257}, {64, 48, 515}, {7, 100, 1030},
                                  {130, 15, 66}, {8, 32, 64},  {33, 2, 40}};
  // Few rows, which may be columns of tiles; many, which become row panels; many blocks.
  static const long chosen[][3] = {{1, 1, 1}, {20, 150, 261}, {1061, 21, 35}, {70, 515, 130}};
  for (int pairs = 0; pairs <= (ck_has_tiles(1) != 0); pairs++) {
    check_sizes(pairs, sizes, sizeof sizes / sizeof *sizes, 0);
    check_source(pairs);
  }
  for (int bfloat16 = 0; bfloat16 < 2 && lathe_gemm; bfloat16++)
    check_sizes(bfloat16, chosen, sizeof chosen / sizeof *chosen, 1);
}
