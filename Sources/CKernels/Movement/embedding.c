// Forces between points of a plane whose nearness has Student's t-distribution.
#include "CKernels.h"
#include "../clones.h"

enum { LANES = CK_FORCE_LANES, SUMS = 5 };

/// Adds lanes by halving.
INLINE float total(float *lanes) {
  for (long width = LANES / 2; width > 0; width /= 2)
    for (long j = 0; j < width; j++) lanes[j] += lanes[j + width];
  return lanes[0];
}

CLONED void ck_student_forces(
    const float *p, const float *x, const float *y, long i, long stride, float *forces) {
  float sums[SUMS][LANES] = {{0.f}};
  for (long start = 0; start < stride; start += LANES)
    for (long j = 0; j < LANES; j++) {
      float dx = x[i] - x[start + j], dy = y[i] - y[start + j];
      float w = 1.f / (1.f + dx * dx + dy * dy);
      float pull = p[start + j] * w, push = w * w;
      sums[0][j] += w;
      sums[1][j] += pull * dx;
      sums[2][j] += pull * dy;
      sums[3][j] += push * dx;
      sums[4][j] += push * dy;
    }
  for (long s = 0; s < SUMS; s++) forces[s] = total(sums[s]);
  forces[0] -= 1.f;  // the point itself
}
