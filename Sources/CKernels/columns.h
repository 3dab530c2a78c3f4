// Narrow matrices as wide ones: `copies` consecutive rows of a contiguous matrix with few columns
// are one row of a wide matrix, which fills vectors. What belongs to a column is then repeated.
#pragma once

#include "CKernels.h"
#include "clones.h"

enum { NARROW = 128, WIDE = 512 };

/// How many rows to take as one.
INLINE long copies_of(long columns, long stride) {
  return columns <= NARROW && columns == stride ? WIDE / columns : 1;
}

INLINE void repeat(const float *values, long columns, long copies, float *repeated) {
  for (long k = 0; k < copies; k++)
    memcpy(repeated + k * columns, values, (size_t)columns * sizeof *values);
}

/// Adds the copies of each column into the first one, in order.
INLINE void fold(float *lanes, long columns, long copies) {
  for (long k = 1; k < copies; k++)
    for (long c = 0; c < columns; c++) lanes[c] += lanes[k * columns + c];
}

static const uint32_t infinite_magnitude = 0x7f800000u;

/// The larger of a magnitude, as bits, and |x|; at least infinite_magnitude from the first infinity
/// or NaN on.
INLINE uint32_t larger_magnitude(uint32_t largest, float x) {
  uint32_t magnitude = bits_of(x) & 0x7fffffffu;
  return magnitude > largest ? magnitude : largest;
}
