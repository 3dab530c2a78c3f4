// One matrix product or convolution, so many times: `check -c` counts its instructions.
//
//   counted CASE FORM REPEATS     prints the case's name and its multiplications
//
// FORM is float32 or bfloat16, LatheKernels' choice of kernels by shape, or openblas: im2col and a
// product by OpenBLAS, which is linked where there is one for arm64.
#include "../Embedded/COpenBLAS/cblas.h"
#include "../driver.h"

enum { GRADIENT = 2 };

/// A product [m, k] [k, n], the left operand transposed or not; or, where there are images, a
/// convolution or its gradient of the weights.
typedef struct {
  const char *name;
  long m, n, k;
  int transposed;
  long images;
  int direction;
  ck_geometry g;
} job;

static const job jobs[] = {
    {"[64, 1024] × [1024, 1024]", .m = 64, .n = 1024, .k = 1024},
    {"[64, 1024]ᵀ × [64, 1024], a gradient", .m = 1024, .n = 1024, .k = 64, .transposed = 1},
    {"4 × 4 convolution, stride 2, 16 × 16 × 64 to 128 channels", .images = 16,
     .g = {16, 16, 64, 8, 8, 128, 4, 4, 2, 2, 1, 1}},
    {"its gradient of the weights", .images = 16, .direction = GRADIENT,
     .g = {16, 16, 64, 8, 8, 128, 4, 4, 2, 2, 1, 1}},
    {"4 × 4 convolution, stride 2, 8 × 8 × 128 to 256 channels", .images = 16,
     .g = {8, 8, 128, 4, 4, 256, 4, 4, 2, 2, 1, 1}},
    {"4 × 4 convolution, stride 2, 32 × 32 × 3 to 64 channels", .images = 16,
     .g = {32, 32, 3, 16, 16, 64, 4, 4, 2, 2, 1, 1}},
};

static void openblas(int transposed, long m, long n, long k, const float *a, const float *b,
                     float *c) {
  cblas_sgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, (blasint)m,
              (blasint)n, (blasint)k, 1, a, (blasint)(transposed ? m : k), b, (blasint)n, 0, c,
              (blasint)n);
}

static void multiply_once(const job *j, const char *form, const float *a, const float *b,
                          float *c) {
  if (strcmp(form, "openblas") == 0) openblas(j->transposed, j->m, j->n, j->k, a, b, c);
  else lathe_gemm(a, j->transposed, b, 0, c, j->m, j->n, j->k, 0, strcmp(form, "bfloat16") == 0);
}

static void convolve_once(const job *j, const char *form, float *input, float *output,
                          float *weights, float *columns) {
  if (strcmp(form, "openblas") != 0) {
    lathe_convolve(j->direction, &j->g, j->images, input, output, weights,
                   strcmp(form, "bfloat16") == 0);
    return;
  }
  if (j->g.input_channels < 8) {
    ck_im2col_narrow(input, &j->g, j->images, floats(ck_bordered_count(&j->g)), columns);
  } else {
    ck_im2col(input, &j->g, j->images, 0, j->g.kernel_height, columns);
  }
  if (j->direction == GRADIENT) openblas(1, j->m, j->n, j->k, columns, output, weights);
  else openblas(0, j->m, j->n, j->k, columns, weights, output);
}

int main(int count, char **arguments) {
  long number = count == 4 ? atol(arguments[1]) : -1;
  if (number < 0 || number >= (long)(sizeof jobs / sizeof *jobs)) return 64;
  job j = jobs[number];
  const char *form = arguments[2];
  const long repeats = atol(arguments[3]);
  if (j.images) {
    const ck_geometry *g = &j.g;
    const long pixels = j.images * g->output_height * g->output_width;
    const long terms = g->kernel_height * g->kernel_width * g->input_channels;
    j.m = j.direction == GRADIENT ? terms : pixels;
    j.k = j.direction == GRADIENT ? pixels : terms;
    j.n = g->output_channels;
    float *input = values(j.images * g->input_height * g->input_width * g->input_channels, 1);
    float *output = values(pixels * j.n, 2), *weights = values(terms * j.n, 3);
    float *columns = floats(pixels * terms);
    for (long i = 0; i < repeats; i++) convolve_once(&j, form, input, output, weights, columns);
  } else {
    float *a = values(j.m * j.k, 1), *b = values(j.k * j.n, 2), *c = floats(j.m * j.n);
    for (long i = 0; i < repeats; i++) multiply_once(&j, form, a, b, c);
  }
  printf("%s\t%ld\n", j.name, j.m * j.n * j.k);
  return 0;
}
