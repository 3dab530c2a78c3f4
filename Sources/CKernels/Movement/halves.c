// Floats as bfloat16 numbers of 16 bits, and back.
#include "CKernels.h"
#include "../clones.h"

// Blocks go through memory of their own, so that a vector may be converted where it is.
enum { BLOCK = 256 };

CLONED void ck_to_bfloat16(const float *x, void *y, long count) {
  uint16_t block[BLOCK];
  for (long start = 0; start < count; start += BLOCK) {
    long length = min_long(BLOCK, count - start);
    for (long i = 0; i < length; i++) block[i] = (uint16_t)(rounded_bits(x[start + i]) >> 16);
    memcpy((uint16_t *)y + start, block, (size_t)length * sizeof *block);
  }
}

CLONED void ck_from_bfloat16(const void *x, float *y, long count) {
  uint16_t block[BLOCK];
  for (long start = 0; start < count; start += BLOCK) {
    long length = min_long(BLOCK, count - start);
    memcpy(block, (const uint16_t *)x + start, (size_t)length * sizeof *block);
    for (long i = 0; i < length; i++) y[start + i] = float_of((uint32_t)block[i] << 16);
  }
}
