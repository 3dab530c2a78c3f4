// The part of OpenBLAS that LatheKernels' GEMM calls, as loops: see openblas.c.
typedef int blasint;
enum CBLAS_ORDER { CblasRowMajor = 101 };
enum CBLAS_TRANSPOSE { CblasNoTrans = 111, CblasTrans = 112 };
void openblas_set_num_threads(int count);
const char *openblas_get_corename(void);
const char *openblas_get_config(void);
void cblas_sgemm(
    enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE a_order, enum CBLAS_TRANSPOSE b_order, blasint m,
    blasint n, blasint k, float alpha, const float *a, blasint a_stride, const float *b,
    blasint b_stride, float beta, float *c, blasint c_stride);
