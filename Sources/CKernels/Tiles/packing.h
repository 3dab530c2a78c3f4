// The parts of packing that take instructions of one kind of processor; see CKernels.h.
#pragma once

#include "../clones.h"
#include "CKernels.h"
#include "shapes.h"

/// One panel of an operand that is not transposed.
void ck_pack_pairs_lines(
    const float *b, long stride, long length, long columns, float *panel);
void ck_pack_wide_columns(
    const float *a, const long *rows, long length, long columns, float *packed);
void ck_pack_pairs_columns(
    const float *a, const long *rows, long length, long columns, float *packed);
