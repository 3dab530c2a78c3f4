// Elementwise functions, reductions, normalization, pooling, movement, updates and random numbers.
#include "driver.h"

enum { COUNT = 1003 };

// Elementwise.

static double exact(int operation, double x) {
  switch (operation) {
    case CK_EXP: return exp(x);
    case CK_LOG: return log(x);
    case CK_SQRT: return sqrt(x);
    case CK_SIGMOID: return 1 / (1 + exp(-x));
    case CK_TANH: return tanh(x);
    case CK_SOFTPLUS: return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case CK_RELU: return x < 0 ? 0 : x;
    case CK_NEGATE: return -x;
    case CK_SQUARE: return x * x;
    case CK_RECIPROCAL: return 1 / x;
    case CK_ABSOLUTE: return fabs(x);
    case CK_SIGN: return (x > 0) - (x < 0);
    case CK_SINE: return sin(x);
    case CK_ROUND: return nearbyint(x);
    default: return cos(x);
  }
}

/// Numbers of all magnitudes and signs, and the special ones.
static float *of_all_magnitudes(void) {
  static const float special[] = {0.f, -0.f, INFINITY, -INFINITY, NAN, 0x1p-149f, -0x1p-130f,
                                  88.8f, -104.f, 0x1.fffffep127f, 3e6f, -1e9f};
  float *x = values(COUNT, 9);
  for (long i = 0; i < COUNT; i++) x[i] *= ldexpf(1.f, (int)(i % 40) - 20);
  memcpy(x, special, sizeof special);
  return x;
}

static void check_maps(void) {
  static const char *const names[] = {"exp", "log", "sqrt", "sigmoid", "tanh", "softplus", "relu",
                                      "negate", "square", "reciprocal", "absolute", "sign", "sine",
                                      "cosine", "round"};
  float *x = of_all_magnitudes(), *y = floats(COUNT);
  double *want = doubles(COUNT), *scale = doubles(COUNT);
  for (int operation = CK_EXP; operation <= CK_ROUND; operation++) {
    for (long i = 0; i < COUNT; i++) {
      want[i] = (float)exact(operation, x[i]);
      scale[i] = fmax(fabs(want[i]), 0x1p-126);
    }
    ck_map(operation, x, y, COUNT);
    compare(names[operation], y, want, scale, COUNT, 4e-7);
  }
  free(x), free(y), free(want), free(scale);
}

static double combined(int operation, double a, double b) {
  switch (operation) {
    case CK_ADD: return a + b;
    case CK_SUBTRACT: return a - b;
    case CK_MULTIPLY: return a * b;
    case CK_DIVIDE: return a / b;
    case CK_MAXIMUM: return a > b ? a : b;
    case CK_MINIMUM: return a < b ? a : b;
    case CK_EQUAL: return a == b;
    default: return a > b;
  }
}

/// Operands by rows and columns: all of a matrix, a row, a column, one number.
static void check_combinations(void) {
  enum { ROWS = 37, COLUMNS = 29 };
  static const long steps[][2] = {{COLUMNS, 1}, {0, 1}, {1, 0}, {0, 0}, {1, ROWS}};
  float *a = values(ROWS * COLUMNS, 10), *b = values(ROWS * COLUMNS, 11);
  float *y = floats(ROWS * COLUMNS);
  double *want = doubles(ROWS * COLUMNS);
  for (int operation = CK_ADD; operation <= CK_GREATER; operation++)
    for (int s = 0; s < 5; s++) {
      for (long i = 0; i < ROWS * COLUMNS; i++)
        want[i] = (float)combined(operation, a[i],
                                  b[i / COLUMNS * steps[s][0] + i % COLUMNS * steps[s][1]]);
      ck_combine_rows(operation, a, COLUMNS, 1, b, steps[s][0], steps[s][1], y, ROWS, COLUMNS);
      char name[40];
      snprintf(name, sizeof name, "combine %d strides %ld,%ld", operation, steps[s][0],
               steps[s][1]);
      compare(name, y, want, 0, ROWS * COLUMNS, 0);
    }
  free(a), free(b), free(y), free(want);
}

#define EACH(expression) for (long i = 0; i < COUNT; i++) want[i] = (expression)

static void check_passes(void) {
  float *x = values(COUNT, 12), *g = values(COUNT, 13), *y = floats(COUNT);
  double *want = doubles(COUNT);
  ck_affine(x, 1.7f, -0.3f, y, COUNT);
  EACH((double)1.7f * x[i] + (double)-0.3f);
  compare("affine", y, want, 0, COUNT, 2e-7);
  ck_clamp(x, -0.5f, 0.25f, y, COUNT);
  EACH(x[i] < -0.5f ? -0.5 : x[i] > 0.25f ? 0.25 : x[i]);
  compare("clamp", y, want, 0, COUNT, 0);
  ck_leaky_relu(x, 0.2f, y, COUNT);
  EACH(x[i] > 0 ? x[i] : (double)0.2f * x[i]);
  compare("leaky relu", y, want, 0, COUNT, 2e-8);
  ck_leaky_gate(g, x, 0.2f, y, COUNT);
  EACH(x[i] > 0 ? g[i] : (double)0.2f * g[i]);
  compare("leaky gate", y, want, 0, COUNT, 2e-8);
  ck_clamp_gate(g, x, -0.5f, 0.25f, y, COUNT);
  EACH(x[i] >= -0.5f && x[i] <= 0.25f ? g[i] : 0);
  compare("clamp gate", y, want, 0, COUNT, 0);
  memcpy(y, g, COUNT * sizeof *y);
  ck_accumulate(x, 0.7f, y, COUNT);
  EACH(g[i] + (double)0.7f * x[i]);
  compare("accumulate", y, want, 0, COUNT, 2e-7);
  ck_blend_rows(x, g, 0.3f, COUNT, y);
  EACH(x[i] + ((double)g[i] - x[i]) * (double)0.3f);
  compare("blend rows", y, want, 0, COUNT, 3e-7);
  free(x), free(g), free(y), free(want);
}

// Reductions and normalization.

static void check_reductions(void) {
  static const long lengths[] = {1, 7, 31, 100, 511, 513, COUNT};
  float *x = values(5 * COUNT, 14), y[5];
  double want[5];
  for (int operation = CK_SUM; operation <= CK_LARGEST; operation++)
    for (int s = 0; s < 7; s++) {
      for (long r = 0; r < 5; r++) {
        want[r] = operation == CK_SUM ? 0 : -INFINITY;
        for (long i = 0; i < lengths[s]; i++) {
          double value = x[r * lengths[s] + i];
          want[r] = operation == CK_SUM ? want[r] + value : fmax(want[r], value);
        }
      }
      ck_reduce_rows(operation, x, 5, lengths[s], y);
      char name[40];
      snprintf(name, sizeof name, "%s of rows of %ld", operation ? "largest" : "sum", lengths[s]);
      compare(name, y, want, 0, 5, operation ? 0 : 1e-5);
    }
  double dot = 0;
  for (long i = 0; i < COUNT; i++) dot += (double)x[i] * x[COUNT + i];
  y[0] = ck_dot(x, x + COUNT, COUNT);
  compare("dot", y, &dot, 0, 1, 1e-5);
  free(x);
}

/// Batch norm of a matrix with `columns` columns, forward and backward.
static void check_normalization(long columns) {
  enum { ROWS = 203 };
  long count = ROWS * columns;
  float *x = values(count, 15), *g = values(count, 16), *y = floats(count), *dx = floats(count);
  float *v = values(6 * columns, 17), *guess = floats(columns), *sum = floats(columns);
  float *squares = floats(columns);
  double *want = doubles(count), *second = doubles(columns), *mean = doubles(columns);
  for (long i = 0; i < count; i++) mean[i % columns] += (double)x[i] / ROWS;
  ck_reduce_columns(CK_SUM, x, columns, ROWS, columns, sum);
  for (long c = 0; c < columns; c++) want[c] = mean[c] * ROWS;
  char name[80];
#define REPORT(what, got, count, limit)                                  \
  snprintf(name, sizeof name, "%s of %ld columns", what, columns);       \
  compare(name, got, want, 0, count, limit)
  REPORT("sum", sum, columns, 4e-5);
  ck_moments(x, columns, ROWS, columns, guess, sum, squares);
  memset(want, 0, (size_t)count * sizeof *want);
  for (long i = 0; i < count; i++) {
    double deviation = (double)x[i] - guess[i % columns];
    want[i % columns] += deviation, second[i % columns] += deviation * deviation;
  }
  REPORT("deviations", sum, columns, 1e-5);
  memcpy(want, second, (size_t)columns * sizeof *want);
  REPORT("squares", squares, columns, 2e-4);
  const float *m = v, *scale = v + columns, *offset = v + 2 * columns, *slope = v + 3 * columns;
  for (int relu = 0; relu < 2; relu++) {
    ck_normalize(x, columns, ROWS, columns, m, scale, offset, relu, y);
    for (long i = 0; i < count; i++) {
      long c = i % columns;
      want[i] = ((double)x[i] - m[c]) * scale[c] + offset[c];
      if (relu && want[i] < 0) want[i] = 0;
    }
    REPORT(relu ? "normalize with relu" : "normalize", y, count, 5e-7);
  }
  memset(want, 0, (size_t)count * sizeof *want);
  memset(second, 0, (size_t)columns * sizeof *second);
  for (long i = 0; i < count; i++) {
    double gated = y[i] > 0 ? g[i] : 0;
    want[i % columns] += gated, second[i % columns] += gated * ((double)x[i] - m[i % columns]);
  }
  ck_gradient_sums(g, x, columns, ROWS, columns, m, scale, offset, sum, squares);
  REPORT("gradient sums", sum, columns, 2e-5);
  ck_gated_sums(g, y, columns, ROWS, columns, dx, sum);
  REPORT("gated sums", sum, columns, 2e-5);
  memcpy(want, second, (size_t)columns * sizeof *want);
  REPORT("gradient products", squares, columns, 4e-5);
  const float *shift = offset;
  ck_normalize_gradient(
      g, x, columns, ROWS, columns, m, scale, shift, offset, slope, dx);
  for (long i = 0; i < count; i++) {
    long c = i % columns;
    double gated = y[i] > 0 ? g[i] : 0;
    want[i] = scale[c] * (gated - offset[c] - (double)slope[c] * ((double)x[i] - m[c]));
  }
  REPORT("normalize gradient", dx, count, 1e-6);
  ck_add_bias(x, m, ROWS, columns, 1, y);
  for (long i = 0; i < count; i++) want[i] = fmax(0, (double)x[i] + m[i % columns]);
  REPORT("bias and relu", y, count, 2e-7);
  free(x), free(g), free(y), free(dx), free(v), free(guess), free(sum), free(squares);
  free(want), free(second), free(mean);
}

static void check_pooling(void) {
  ck_window w = {9, 7, 5, 5, 4, 3, 2, 1};
  float *x = values(2 * 9 * 7 * 5, 18), *y = floats(2 * 5 * 4 * 5);
  double *want = doubles(2 * 5 * 4 * 5);
  for (int averages = 0; averages < 2; averages++) {
    for (long r = 0; r < 10; r++)
      for (long j = 0; j < 4; j++)
        for (long c = 0; c < 5; c++) {
          double sum = 0, largest = -INFINITY, pixels = 0;
          for (long a = 0; a < 9; a++) {
            long p = r % 5 * 2 - 1 + a / 3, q = j * 2 - 1 + a % 3;
            if (p < 0 || p >= 9 || q < 0 || q >= 7) continue;
            double value = x[((r / 5 * 9 + p) * 7 + q) * 5 + c];
            sum += value, pixels++, largest = fmax(largest, value);
          }
          want[(r * 4 + j) * 5 + c] = averages ? sum / pixels : largest;
        }
    (averages ? ck_average_pool : ck_max_pool)(x, &w, 0, 10, y);
    compare(averages ? "average pool" : "max pool", y, want, 0, 2 * 5 * 4 * 5, averages ? 3e-7 : 0);
  }
  free(x), free(y), free(want);
}

// Updates.

static void check_updates(void) {
  float *g = values(COUNT, 19), *p = values(COUNT, 20);
  float *m = values(COUNT, 21), *v = values(COUNT, 22);
  double *want = doubles(COUNT), scale = 0.5, rate = 0.01f;
  for (long i = 0; i < COUNT; i++) v[i] = fabsf(v[i]) + 0.01f;
  for (long i = 0; i < COUNT; i++) {
    double gradient = scale * g[i], first = (double)0.9f * m[i] + (1 - (double)0.9f) * gradient;
    double second = (double)0.99f * v[i] + (1 - (double)0.99f) * gradient * gradient;
    want[i] = p[i] - rate * first / (sqrt(second) + (double)1e-8f);
  }
  ck_adam(p, g, m, v, COUNT, (ck_adam_rule){0.01f, 0.9f, 0.99f, 1e-8f, 0.5f});
  compare("adam", p, want, 0, COUNT, 1e-6);
  print_bits("adam's moments", m, COUNT * 4);
  for (long i = 0; i < COUNT; i++) {
    double gradient = scale * g[i];
    double square = (double)0.9f * v[i] + (1 - (double)0.9f) * gradient * gradient;
    want[i] = p[i] - ((double)0.8f * m[i] + rate * gradient / sqrt(square + (double)1e-8f));
  }
  ck_rms_prop(p, g, v, m, COUNT, (ck_rms_prop_rule){0.01f, 0.9f, 0.8f, 1e-8f, 0.5f});
  compare("rmsprop", p, want, 0, COUNT, 1e-6);
  for (long i = 0; i < COUNT; i++)
    want[i] = p[i] - rate * (scale * g[i] + (double)0.9f * ((double)0.9f * m[i] + scale * g[i]));
  ck_momentum_descent(p, g, m, COUNT, (ck_momentum_rule){0.01f, 0.9f, 0.5f, 1});
  compare("nesterov", p, want, 0, COUNT, 1e-6);
  free(g), free(p), free(m), free(v), free(want);
}

// Movement.

static void check_movement(void) {
  enum { ROWS = 45, COLUMNS = 67 };
  float *x = values(ROWS * COLUMNS, 23), *y = floats(ROWS * COLUMNS);
  double *want = doubles(ROWS * COLUMNS);
  ck_transpose(x, COLUMNS, y, ROWS, ROWS, COLUMNS);
  for (long i = 0; i < ROWS * COLUMNS; i++) want[i % COLUMNS * ROWS + i / COLUMNS] = x[i];
  compare("transpose", y, want, 0, ROWS * COLUMNS, 0);
  int indices[ROWS];
  for (int r = 0; r < ROWS; r++) indices[r] = r * 7 % ROWS;
  ck_gather_rows(x, indices, ROWS, COLUMNS, y);
  for (long i = 0; i < ROWS * COLUMNS; i++)
    want[i] = x[indices[i / COLUMNS] * COLUMNS + i % COLUMNS];
  compare("gather rows", y, want, 0, ROWS * COLUMNS, 0);
  ck_scatter_add_rows(x, indices, ROWS, COLUMNS, y);
  for (long i = 0; i < ROWS * COLUMNS; i++)
    want[indices[i / COLUMNS] * COLUMNS + i % COLUMNS] += x[i];
  compare("scatter add rows", y, want, 0, ROWS * COLUMNS, 2e-7);
  free(x), free(y), free(want);
}

static void check_halves(void) {
  float *x = of_all_magnitudes(), *y = floats(COUNT);
  unsigned short halves[COUNT];
  ck_to_bfloat16(x, halves, COUNT);
  print_bits("to bfloat16", halves, sizeof halves);
  ck_from_bfloat16(halves, y, COUNT);
  float *rounded = floats(COUNT);
  ck_round_to_bfloat16(x, rounded, COUNT);
  expect_equal("from bfloat16", y, rounded, COUNT);
  if (ck_has_tiles(1)) {
    memset(halves, 0, sizeof halves);
    float *packed = floats(COUNT / 2 + 1);
    unsigned short zeroed[COUNT + 1];
    // Processors of x86-64 take subnormal numbers for zeros here.
    for (long i = 0; i < COUNT; i++) x[i] = fabsf(x[i]) < 0x1p-126f ? 0.f : x[i];
    ck_to_bfloat16(x, zeroed, COUNT);
    zeroed[COUNT] = 0;
    ck_pack_rows(x, COUNT, 1, COUNT, packed);
    expect_equal("pairs of a row", packed, (float *)zeroed, COUNT / 2 + 1);
    free(packed);
  }
  free(x), free(y), free(rounded);
}

static void check_forces(void) {
  enum { POINTS = 96 };
  float *p = values(POINTS, 24), *x = values(POINTS, 25), *y = values(POINTS, 26), forces[5];
  double want[5] = {-1, 0, 0, 0, 0};
  for (long j = 0; j < POINTS; j++) {
    double dx = (double)x[3] - x[j], dy = (double)y[3] - y[j], w = 1 / (1 + dx * dx + dy * dy);
    double terms[] = {w, p[j] * w * dx, p[j] * w * dy, w * w * dx, w * w * dy};
    for (int s = 0; s < 5; s++) want[s] += terms[s];
  }
  ck_student_forces(p, x, y, 3, POINTS, forces);
  compare("student forces", forces, want, 0, 5, 1e-5);
  free(p), free(x), free(y);
}

void check_loops(void) {
  check_maps();
  check_combinations();
  check_passes();
  check_reductions();
  check_normalization(5);
  check_normalization(64);
  check_normalization(300);
  check_pooling();
  check_updates();
  check_movement();
  check_halves();
  check_forces();
}

// Random numbers.

void check_random_numbers(void) {
  // A known answer of Random123's kat_vectors: counter and key of the digits of pi.
  ck_philox_block counter = {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}};
  ck_philox_block pi = ck_philox(counter, 0xa4093822, 0x299f31d0);
  static const unsigned known[] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
  expect_equal("philox", (const float *)pi.word, (const float *)known, 4);
  float *x = floats(5 * COUNT);
  ck_random_uniform(x, 5 * COUNT, 0x123456789abcdefull, 77);
  print_bits("uniform", x, 5 * COUNT * 4);
  ck_random_normal(x, 5 * COUNT, 0x123456789abcdefull, 77);
  double mean = 0, square = 0, expected[] = {0, 1};
  for (long i = 0; i < 5 * COUNT; i++) mean += x[i], square += (double)x[i] * x[i];
  print_bits("normal", x, 5 * COUNT * 4);
  float moments[] = {(float)(mean / (5 * COUNT)), (float)(square / (5 * COUNT))};
  compare("moments of normal", moments, expected, 0, 2, 0.06);
  free(x);
}
