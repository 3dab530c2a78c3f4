// Function multiversioning, and the small words that all loops share.
#pragma once

#include <stdint.h>
#include <string.h>

/// One compiled version per x86-64 level, chosen when the program starts; elsewhere a plain
/// function, which on arm64 has vectors of four floats and fused multiplication and addition.
#if defined(__x86_64__) && defined(__linux__) && defined(__clang__)
#define CLONED \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "arch=x86-64-v2", "default")))
#else
#define CLONED
#endif

/// Becomes part of each clone that uses it.
#define INLINE static inline __attribute__((always_inline))

/// Iterations are independent, even where an output is also an input.
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

INLINE float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

INLINE uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// The bits of x, of which the upper 16 are those of the nearest bfloat16 number; NaN stays NaN.
INLINE uint32_t rounded_bits(float x) {
  uint32_t bits = bits_of(x);
  uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  return (bits & 0x7fffffffu) > 0x7f800000u ? bits | 0x00400000u : rounded;
}

INLINE long min_long(long a, long b) { return a < b ? a : b; }

INLINE long max_long(long a, long b) { return a > b ? a : b; }
