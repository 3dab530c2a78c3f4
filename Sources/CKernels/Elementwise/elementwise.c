#include "CKernels.h"
#include "../functions.h"

typedef float (*unary)(float);

/// With a constant `f`, a vector loop around it.
INLINE void map_each(unary f, const float *x, float *y, long count) {
  INDEPENDENT
  for (long i = 0; i < count; i++) y[i] = f(x[i]);
}

INLINE float square_root(float x) { return __builtin_elementwise_sqrt(x); }
INLINE float relu(float x) { return x < 0.f ? 0.f : x; }
INLINE float negate(float x) { return -x; }
INLINE float square(float x) { return x * x; }
INLINE float reciprocal(float x) { return 1.f / x; }
INLINE float sign(float x) { return (x > 0.f ? 1.f : 0.f) - (x < 0.f ? 1.f : 0.f); }

enum { SINE_BLOCK = 256 };

/// The far arguments of a block, which the vector loop leaves wrong.
static void correct_far_sines(const float *x, int cosine, float *y, long count) {
  for (long i = 0; i < count; i++) {
    if (absolute(x[i]) <= sine_limit) continue;
    y[i] = (float)(cosine ? cos((double)x[i]) : sin((double)x[i]));
  }
}

INLINE void sine_block(const float *x, int cosine, float *y, long count) {
  float values[SINE_BLOCK];
  int far = 0;
  for (long i = 0; i < count; i++) {
    float value = sine_shifted(x[i], (uint32_t)cosine);
    values[i] = !cosine && x[i] == 0.f ? x[i] : value;
    far |= !(absolute(x[i]) <= sine_limit);
  }
  if (far) correct_far_sines(x, cosine, values, count);
  memcpy(y, values, (size_t)count * sizeof *y);
}

INLINE void map_sine(const float *x, int cosine, float *y, long count) {
  for (long i = 0; i < count; i += SINE_BLOCK)
    sine_block(x + i, cosine, y + i, min_long(SINE_BLOCK, count - i));
}

CLONED void ck_map(int operation, const float *x, float *y, long count) {
  switch (operation) {
    case CK_EXP: map_each(exponential, x, y, count); break;
    case CK_LOG: map_each(logarithm, x, y, count); break;
    case CK_SQRT: map_each(square_root, x, y, count); break;
    case CK_SIGMOID: map_each(sigmoid, x, y, count); break;
    case CK_TANH: map_each(hyperbolic_tangent, x, y, count); break;
    case CK_SOFTPLUS: map_each(softplus, x, y, count); break;
    case CK_RELU: map_each(relu, x, y, count); break;
    case CK_NEGATE: map_each(negate, x, y, count); break;
    case CK_SQUARE: map_each(square, x, y, count); break;
    case CK_RECIPROCAL: map_each(reciprocal, x, y, count); break;
    case CK_ABSOLUTE: map_each(absolute, x, y, count); break;
    case CK_SIGN: map_each(sign, x, y, count); break;
    case CK_SINE: map_sine(x, 0, y, count); break;
    case CK_COSINE: map_sine(x, 1, y, count); break;
    case CK_ROUND: map_each(nearest, x, y, count); break;
    default: __builtin_trap();
  }
}

CLONED void ck_affine(const float *x, float scale, float offset, float *y, long count) {
  INDEPENDENT
  for (long i = 0; i < count; i++) y[i] = scale * x[i] + offset;
}

CLONED void ck_clamp(const float *x, float from, float to, float *y, long count) {
  INDEPENDENT
  for (long i = 0; i < count; i++) {
    float low = x[i] < from ? from : x[i];
    y[i] = low > to ? to : low;
  }
}

CLONED void ck_leaky_relu(const float *x, float slope, float *y, long count) {
  INDEPENDENT
  for (long i = 0; i < count; i++) y[i] = x[i] > 0.f ? x[i] : slope * x[i];
}

CLONED void ck_leaky_gate(
    const float *gradient, const float *x, float slope, float *y, long count) {
  INDEPENDENT
  for (long i = 0; i < count; i++) y[i] = x[i] > 0.f ? gradient[i] : slope * gradient[i];
}

CLONED void ck_clamp_gate(
    const float *gradient, const float *x, float from, float to, float *y, long count) {
  INDEPENDENT
  for (long i = 0; i < count; i++) {
    float below_end = x[i] <= to ? gradient[i] : 0.f;
    y[i] = x[i] >= from ? below_end : 0.f;
  }
}

typedef float (*binary)(float, float);

INLINE float add(float p, float q) { return p + q; }
INLINE float subtract(float p, float q) { return p - q; }
INLINE float multiply(float p, float q) { return p * q; }
INLINE float divide(float p, float q) { return p / q; }
INLINE float maximum(float p, float q) { return p > q || p != p ? p : q; }
INLINE float minimum(float p, float q) { return p < q || p != p ? p : q; }
INLINE float equal(float p, float q) { return p == q ? 1.f : 0.f; }
INLINE float greater(float p, float q) { return p > q ? 1.f : 0.f; }

INLINE void combine_each(
    binary f, const float *a, long a_step, const float *b, long b_step, float *y, long count) {
  float p = *a, q = *b;
  if (a_step && b_step) {
    INDEPENDENT
    for (long i = 0; i < count; i++) y[i] = f(a[i], b[i]);
  } else if (a_step) {
    INDEPENDENT
    for (long i = 0; i < count; i++) y[i] = f(a[i], q);
  } else if (b_step) {
    INDEPENDENT
    for (long i = 0; i < count; i++) y[i] = f(p, b[i]);
  } else {
    float value = f(p, q);
    for (long i = 0; i < count; i++) y[i] = value;
  }
}

CLONED void ck_combine(
    int operation, const float *a, long a_step, const float *b, long b_step, float *y,
    long count) {
  if (count == 0) return;
  switch (operation) {
    case CK_ADD: combine_each(add, a, a_step, b, b_step, y, count); break;
    case CK_SUBTRACT: combine_each(subtract, a, a_step, b, b_step, y, count); break;
    case CK_MULTIPLY: combine_each(multiply, a, a_step, b, b_step, y, count); break;
    case CK_DIVIDE: combine_each(divide, a, a_step, b, b_step, y, count); break;
    case CK_MAXIMUM: combine_each(maximum, a, a_step, b, b_step, y, count); break;
    case CK_MINIMUM: combine_each(minimum, a, a_step, b, b_step, y, count); break;
    case CK_EQUAL: combine_each(equal, a, a_step, b, b_step, y, count); break;
    case CK_GREATER: combine_each(greater, a, a_step, b, b_step, y, count); break;
    default: __builtin_trap();
  }
}

CLONED void ck_accumulate(const float *x, float scale, float *y, long count) {
  INDEPENDENT
  for (long i = 0; i < count; i++) y[i] += scale * x[i];
}

CLONED void ck_fill(float *y, float value, long count) {
  for (long i = 0; i < count; i++) y[i] = value;
}
