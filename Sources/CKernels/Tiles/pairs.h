// Pairs of bfloat16 numbers, for processors that multiply them.
#pragma once

#include "../clones.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define PAIRED __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

/// 16 pairs of numbers from two rows.
PAIRED INLINE __m512 paired(__m512 first, __m512 second) {
  const __m512i order = _mm512_set_epi16(
      31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4,
      19, 3, 18, 2, 17, 1, 16, 0);
  __m512i words = (__m512i)_mm512_cvtne2ps_pbh(second, first);
  return (__m512)_mm512_permutexvar_epi16(order, words);
}
#else
#include "four.h"

#define PAIRED __attribute__((target("bf16")))

/// Four numbers as bfloat16, then zeros.
PAIRED INLINE uint16x8_t narrowed(four x) {
  return (uint16x8_t)vcvtq_low_bf16_f32((float32x4_t)x);
}

/// Four pairs of numbers from two rows.
PAIRED INLINE four paired(four first, four second) {
  return (four)vzip1q_u16(narrowed(first), narrowed(second));
}
#endif
