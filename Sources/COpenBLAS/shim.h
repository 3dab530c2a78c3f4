#pragma once
#include <cblas.h>
#include <stddef.h>

/// LAPACK's eigenvalues, and vectors for `job` 'V', of a symmetric matrix of doubles; OpenBLAS has it,
/// its headers do not. Fortran passes the lengths of the two strings last.
void dsyevd_(const char *job, const char *triangle, const blasint *n, double *matrix,
             const blasint *stride, double *values, double *work, const blasint *work_count,
             blasint *integers, const blasint *integer_count, blasint *status, size_t job_length,
             size_t triangle_length);

/// LAPACK's Cholesky factor of a symmetric positive definite matrix of doubles; OpenBLAS has it, its headers do not.
/// Fortran passes the lengths of strings last, here and below.
void dpotrf_(const char *triangle, const blasint *n, double *matrix, const blasint *stride,
             blasint *status, size_t triangle_length);

/// LAPACK's inverse of a triangular matrix of doubles.
void dtrtri_(const char *triangle, const char *diagonal, const blasint *n, double *matrix,
             const blasint *stride, blasint *status, size_t triangle_length,
             size_t diagonal_length);
