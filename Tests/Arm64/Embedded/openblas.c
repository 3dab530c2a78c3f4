// OpenBLAS for processors without tiles: sums in double precision.
#include "COpenBLAS/cblas.h"

void openblas_set_num_threads(int count) { (void)count; }
const char *openblas_get_corename(void) { return "none"; }
const char *openblas_get_config(void) { return "none"; }

void cblas_sgemm(
    enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE a_order, enum CBLAS_TRANSPOSE b_order, blasint m,
    blasint n, blasint k, float alpha, const float *a, blasint a_stride, const float *b,
    blasint b_stride, float beta, float *c, blasint c_stride) {
  (void)order;
  for (long i = 0; i < m; i++)
    for (long j = 0; j < n; j++) {
      double sum = beta == 0 ? 0 : (double)beta * c[i * c_stride + j];
      for (long l = 0; l < k; l++)
        sum += (double)alpha * a[a_order == CblasTrans ? l * a_stride + i : i * a_stride + l] *
               b[b_order == CblasTrans ? j * b_stride + l : l * b_stride + j];
      c[i * c_stride + j] = (float)sum;
    }
}
