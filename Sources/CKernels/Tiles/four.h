// Vectors of four floats, for arm64: names are those of intrinsics, as tile.h asks for them.
#pragma once

#include <arm_neon.h>

#include "../clones.h"

typedef float four __attribute__((vector_size(16), aligned(4)));

INLINE four four_loadu(const float *x) { return *(const four *)x; }
INLINE void four_storeu(float *x, four values) { *(four *)x = values; }
/// Caches notice for themselves that whole lines are overwritten.
INLINE void four_stream(float *x, four values) { four_storeu(x, values); }
INLINE four four_set1(float x) { return (four){x, x, x, x}; }
INLINE four four_setzero(void) { return four_set1(0.f); }
INLINE four four_add(four x, four y) { return x + y; }

/// `count` floats, four at most, then zeros.
INLINE four load_some(long count, const float *x) {
  four values = four_setzero();
  for (long j = 0; j < count; j++) values[j] = x[j];
  return values;
}

INLINE void store_some(float *x, long count, four values) {
  for (long j = 0; j < count; j++) x[j] = values[j];
}

/// The first words of two vectors in turns, and the last ones.
INLINE four first_zipped(four x, four y) { return __builtin_shufflevector(x, y, 0, 4, 1, 5); }
INLINE four last_zipped(four x, four y) { return __builtin_shufflevector(x, y, 2, 6, 3, 7); }

/// The first halves of two vectors, and the last ones.
INLINE four first_halves(four x, four y) { return __builtin_shufflevector(x, y, 0, 1, 4, 5); }
INLINE four last_halves(four x, four y) { return __builtin_shufflevector(x, y, 2, 3, 6, 7); }
