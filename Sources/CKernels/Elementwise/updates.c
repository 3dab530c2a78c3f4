#include "CKernels.h"
#include "../columns.h"

CLONED int ck_adam(float *p, const float *g, float *m, float *v, long count, ck_adam_rule rule) {
  uint32_t largest = 0;
  float rest1 = 1.f - rule.beta1, rest2 = 1.f - rule.beta2;
  INDEPENDENT
  for (long i = 0; i < count; i++) {
    float gradient = rule.gradient_scale * g[i];
    largest = larger_magnitude(largest, gradient);
    float first = rule.beta1 * m[i] + rest1 * gradient;
    float second = rule.beta2 * v[i] + rest2 * gradient * gradient;
    m[i] = first;
    v[i] = second;
    p[i] -= rule.learning_rate * first / (__builtin_elementwise_sqrt(second) + rule.epsilon);
  }
  return largest < infinite_magnitude;
}

/// One element; the momentum buffer is left out when `momentum` is null, a constant for the loop.
INLINE int rms_prop(
    float *p, const float *g, float *mean_square, float *momentum, int has_momentum, long count,
    ck_rms_prop_rule rule) {
  uint32_t largest = 0;
  INDEPENDENT
  for (long i = 0; i < count; i++) {
    float gradient = rule.gradient_scale * g[i];
    largest = larger_magnitude(largest, gradient);
    float square = rule.decay * mean_square[i] + (1.f - rule.decay) * gradient * gradient;
    float root = __builtin_elementwise_sqrt(square + rule.epsilon);
    float step = rule.learning_rate * gradient / root;
    mean_square[i] = square;
    if (has_momentum) momentum[i] = step = rule.momentum_factor * momentum[i] + step;
    p[i] -= step;
  }
  return largest < infinite_magnitude;
}

CLONED int ck_rms_prop(
    float *p, const float *g, float *mean_square, float *momentum, long count,
    ck_rms_prop_rule rule) {
  if (momentum) return rms_prop(p, g, mean_square, momentum, 1, count, rule);
  return rms_prop(p, g, mean_square, 0, 0, count, rule);
}

INLINE int momentum_descent(
    float *p, const float *g, float *velocity, int has_velocity, int nesterov, long count,
    ck_momentum_rule rule) {
  uint32_t largest = 0;
  INDEPENDENT
  for (long i = 0; i < count; i++) {
    float gradient = rule.gradient_scale * g[i], step = gradient;
    largest = larger_magnitude(largest, gradient);
    if (has_velocity) {
      float speed = rule.momentum * velocity[i] + gradient;
      velocity[i] = speed;
      step = nesterov ? gradient + rule.momentum * speed : speed;
    }
    p[i] -= rule.learning_rate * step;
  }
  return largest < infinite_magnitude;
}

CLONED int ck_momentum_descent(
    float *p, const float *g, float *velocity, long count, ck_momentum_rule rule) {
  if (!velocity) return momentum_descent(p, g, 0, 0, 0, count, rule);
  if (rule.nesterov) return momentum_descent(p, g, velocity, 1, 1, count, rule);
  return momentum_descent(p, g, velocity, 1, 0, count, rule);
}
