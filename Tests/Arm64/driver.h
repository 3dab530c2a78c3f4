// What the parts of the driver share: operands, comparisons, and what they print.
#pragma once

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

/// `count` floats, aligned to 64 bytes and never freed: the driver is short.
float *floats(long count);
double *doubles(long count);
/// Numbers in [-1, 1) that depend on `seed` alone, the same bits everywhere.
float *values(long count, unsigned seed);
/// The same, rounded to bfloat16.
float *rounded_values(long count, unsigned seed);
long *integers(long count);

/// Prints `name`, the largest |got - want| / scale (/ 1 where `scale` is NULL), the limit, and a
/// hash of the bits of `got`; beyond the limit, or at a NaN that is not wanted, the driver fails.
void compare(
    const char *name, const float *got, const double *want, const double *scale, long count,
    double limit);
/// Prints a hash of what has no reference here but must be the same bits on all processors.
void print_bits(const char *name, const void *got, long bytes);
/// Fails if two vectors differ in a bit.
void expect_equal(const char *name, const float *got, const float *want, long count);

void print_processor(void);
/// Whether a comparison failed.
int failed(void);

/// C = op(A) op(B) or C += op(A) op(B) by tiles, as Sources/LatheKernels/GEMM/TiledGEMM.swift does
/// it; chains of at most 256 elements, so that floats are the same bits for all shapes of tiles.
typedef struct {
  int pairs, a_transposed, b_transposed, adds;
  long m, n, k;
} product;
void multiply(product p, const float *a, long a_stride, const float *b, long b_stride, float *c,
              long c_stride);

/// strategies.swift, where it is linked: LatheKernels' own choice of kernels.
__attribute__((weak)) void lathe_gemm(
    const float *a, int a_transposed, const float *b, int b_transposed, float *c, long m, long n,
    long k, int accumulate, int is_bfloat16);
__attribute__((weak)) void lathe_convolve(
    int direction, const ck_geometry *g, long batch, float *input, float *output, float *weights,
    int is_bfloat16);

void check_gemm(void);
void check_convolutions(void);
void check_winograd(void);
void check_loops(void);
void check_random_numbers(void);
