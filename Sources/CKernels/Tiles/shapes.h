// Rows and columns of the tiles; see ck_shape_of_tiles.
#pragma once

enum {
  WIDE_ROWS = 8, WIDE_PANEL = 32,  // AVX-512
  NARROW_PANEL = 16,               // AVX2, arm64
#if defined(__aarch64__)
  NARROW_ROWS = 4  // 16 vectors of sums; four words of each row and a line fit beside them
#else
  NARROW_ROWS = 6
#endif
};
