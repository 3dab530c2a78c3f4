// How fast multiply-adds can be at best: in registers, nothing loaded or stored.
#include "CKernels.h"
#include "clones.h"

enum { LANES = 16, CHAINS = 20 };  // enough independent chains to hide an addition's latency

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

CLONED long ck_multiply_adds(long rounds, float factor, float *sum) {
#pragma clang fp contract(fast)
  vector chains[CHAINS] = {0};
  for (long i = 0; i < rounds; i++)
    for (int c = 0; c < CHAINS; c++) chains[c] = chains[c] * factor + factor;
  for (int c = 1; c < CHAINS; c++) chains[0] += chains[c];
  *sum = chains[0][0];
  return rounds * CHAINS * LANES * 2;
}
