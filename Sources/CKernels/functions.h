// Elementary functions for vector loops: no branches, no tables, no errno.
//
// Goals, in order:
// 1. Right at every float: signed zeros, subnormals, infinities, NaN.
// 2. An error of at most 2.5 units in the last place.
// 3. Speed. Polynomials are minimax fits of relative error on the reduced range.
#pragma once

#include <math.h>

#include "clones.h"

static const float ln2_high = 0x1.62e4p-1f;  // 16 bits, so that n * ln2_high is exact
static const float ln2_low = 1.42860682e-6f;
static const float round_magic = 0x1.8p23f;  // adding it leaves the nearest integer in the low bits

/// 2ⁿ for −126 <= n <= 127.
INLINE float power_of_two(int32_t n) { return float_of((uint32_t)(n + 127) << 23); }

/// eˣ = 2ⁿ eʳ with |r| <= ln2 / 2. The factor 2ⁿ is applied in two halves, so that subnormal
/// results are rounded once.
INLINE float exponential(float x) {
  float bounded = x > 89.f ? 89.f : x;
  bounded = bounded < -104.f ? -104.f : bounded;
  float shifted = bounded * 1.44269504f + round_magic;
  float whole = shifted - round_magic;
  int32_t n = (int32_t)(bits_of(shifted) - bits_of(round_magic));
  float r = (bounded - whole * ln2_high) - whole * ln2_low;
  float q = 8.368710056e-3f + r * 1.381461276e-3f;
  q = 4.166838899e-2f + r * q;
  q = 1.666652113e-1f + r * q;
  q = 4.999999404e-1f + r * q;
  float half = power_of_two(n >> 1), rest = power_of_two(n - (n >> 1));
  return (1.f + (r + r * r * q)) * half * rest;
}

/// log(1 + f) − f for √½ − 1 <= f <= √2 − 1.
INLINE float log1p_tail(float f) {
  float q = 1.276157647e-1f - f * 7.634496689e-2f;
  q = -1.316018254e-1f + f * q;
  q = 1.420175731e-1f + f * q;
  q = -1.662335694e-1f + f * q;
  q = 2.000122666e-1f + f * q;
  q = -2.500081956e-1f + f * q;
  q = 3.333333135e-1f + f * q;
  float square = f * f;
  return square * (f * q - 0.5f);
}

/// log x = e log 2 + log(1 + f), with 1 + f between √½ and √2.
INLINE float logarithm(float x) {
  int subnormal = x < 0x1p-126f;
  uint32_t bits = bits_of(subnormal ? x * 0x1p23f : x);
  int32_t exponent = (int32_t)(bits - 0x3f3504f3u) >> 23;
  float f = float_of(bits - ((uint32_t)exponent << 23)) - 1.f;
  float e = (float)(exponent - (subnormal ? 23 : 0));
  float value = e * ln2_high + (f + (log1p_tail(f) + e * ln2_low));
  value = x == INFINITY ? INFINITY : value;
  float outside = x == 0.f ? -INFINITY : NAN;
  return x > 0.f ? value : outside;
}

/// log(1 + u) for 0 <= u <= 1.
INLINE float log1p_unit(float u) {
  int large = u > 0.41421356f;
  float f = large ? 0.5f * (u - 1.f) : u;
  float e = large ? 1.f : 0.f;
  return e * ln2_high + (f + (log1p_tail(f) + e * ln2_low));
}

/// The nearest integer; of two, the even one.
INLINE float nearest(float x) { return __builtin_elementwise_roundeven(x); }

INLINE float absolute(float x) { return float_of(bits_of(x) & 0x7fffffffu); }

INLINE float with_sign_of(float magnitude, float x) {
  return float_of(bits_of(magnitude) | (bits_of(x) & 0x80000000u));
}

INLINE float sigmoid(float x) {
  float e = exponential(-absolute(x));
  return (x >= 0.f ? 1.f : e) / (1.f + e);
}

INLINE float softplus(float x) {
  return (x > 0.f ? x : 0.f) + log1p_unit(exponential(-absolute(x)));
}

INLINE float hyperbolic_tangent(float x) {
  float size = absolute(x), z = x * x;
  float q = 2.046941966e-2f - z * 5.515164230e-3f;
  q = -5.368802324e-2f + z * q;
  q = 1.333083063e-1f + z * q;
  q = -3.333325982e-1f + z * q;
  float near = size + size * z * q;
  float far = 1.f - 2.f / (exponential(2.f * size) + 1.f);
  return with_sign_of(size < 0.625f ? near : far, x);
}

/// sin r for |r| <= π/4.
INLINE float sine_reduced(float r) {
  float z = r * r;
  float q = 8.332161233e-3f - z * 1.951528393e-4f;
  q = -1.666665524e-1f + z * q;
  return r + r * z * q;
}

/// cos r for |r| <= π/4.
INLINE float cosine_reduced(float r) {
  float z = r * r;
  float q = -1.388731645e-3f + z * 2.443315680e-5f;
  q = 4.166664556e-2f + z * q;
  return 1.f + z * (z * q - 0.5f);
}

/// sin(r + quadrant π/2).
INLINE float sine_in_quadrant(float r, uint32_t quadrant) {
  float value = quadrant & 1 ? cosine_reduced(r) : sine_reduced(r);
  return float_of(bits_of(value) ^ ((quadrant & 2) << 30));
}

/// Up to here the reduction below is exact enough.
static const float sine_limit = 0x1p20f;

/// sin(x + quadrant π/2) for |x| <= sine_limit, reduced in double precision.
INLINE float sine_shifted(float x, uint32_t quadrant) {
  const double half_pi_high = 0x1.921fb544p+0, half_pi_low = 0x1.0b4611a626331p-34;
  const double magic = 0x1.8p52;
  double shifted = (double)x * 0.63661977236758134 + magic;
  double whole = shifted - magic;
  uint64_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  double r = ((double)x - whole * half_pi_high) - whole * half_pi_low;
  return sine_in_quadrant((float)r, (uint32_t)bits + quadrant);
}
