// Rows and columns of the tiles; see ck_shape_of_tiles.
#pragma once

enum {
  WIDE_ROWS = 8, WIDE_PANEL = 32,     // AVX-512
  NARROW_ROWS = 6, NARROW_PANEL = 16  // AVX2
};
