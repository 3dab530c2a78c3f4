// The parts of packing that take instructions of processors with wide tiles; see CKernels.h.
#pragma once

#include "../clones.h"
#include "CKernels.h"
#include "shapes.h"

void ck_pack_pairs_panel(
    const float *b, int transposed, long stride, long length, long columns, float *panel);
void ck_pack_wide_columns(
    const float *a, const long *rows, long length, long columns, float *packed);
void ck_pack_pairs_columns(
    const float *a, const long *rows, long length, long columns, float *packed);
