// Runs of a tile whose sums are squares: an instruction adds to 2 × 2 sums the products of two rows
// of the left operand and two columns of the panel, two words of each (arm64's BFMMLA). For row
// pair p and vector v of columns, sum[2 p][v] is the square of the first two columns, sum[2 p + 1]
// [v] that of the others. Part of tile.h, for four rows; MULTIPLY(sum, rows, columns).

/// Adds two words of each row times two lines of the panel.
TARGET INLINE void TILED(add_words)(
    TILED(tile) * t, const VECTOR *rows, const float *first, const float *second) {
#pragma clang loop unroll(full)
  for (long v = 0; v < ACROSS; v++) {
    VECTOR x = MM(loadu)(first + v * LANES);
    VECTOR y = second ? MM(loadu)(second + v * LANES) : MM(setzero)();
    VECTOR low = first_zipped(x, y), high = last_zipped(x, y);
#pragma clang loop unroll(full)
    for (long p = 0; p < ROWS / 2; p++) {
      t->sum[2 * p][v] = MULTIPLY(t->sum[2 * p][v], rows[p], low);
      t->sum[2 * p + 1][v] = MULTIPLY(t->sum[2 * p + 1][v], rows[p], high);
    }
  }
}

/// Four words of each row and the next four lines.
TARGET INLINE void TILED(add_four)(
    TILED(tile) * t, const float *const *a, long l, const float *line) {
  VECTOR word[ROWS];
#pragma clang loop unroll(full)
  for (long r = 0; r < ROWS; r++) word[r] = MM(loadu)(a[r] + l);
  VECTOR first[] = {first_halves(word[0], word[1]), first_halves(word[2], word[3])};
  VECTOR last[] = {last_halves(word[0], word[1]), last_halves(word[2], word[3])};
  TILED(add_words)(t, first, line, line + COLUMNS);
  TILED(add_words)(t, last, line + 2 * COLUMNS, line + 3 * COLUMNS);
}

/// Two words of the rows side by side and the next two lines.
TARGET INLINE void TILED(add_columns)(TILED(tile) * t, const float *a, const float *line) {
  VECTOR x = MM(loadu)(a), y = MM(loadu)(a + ROWS);
  VECTOR rows[] = {first_zipped(x, y), last_zipped(x, y)};
  TILED(add_words)(t, rows, line, line + COLUMNS);
}

/// The last word of a run of odd length, or two of the words that make no eight.
TARGET INLINE void TILED(add_rest)(
    TILED(tile) * t, const float *const *a, long l, long a_step, const float *line, int two) {
  VECTOR rows[ROWS / 2];
#pragma clang loop unroll(full)
  for (long p = 0; p < ROWS / 2; p++) {
    const float *x = a[2 * p] + l * a_step, *y = a[2 * p + 1] + l * a_step;
    rows[p] = (VECTOR){x[0], two ? x[a_step] : 0.f, y[0], two ? y[a_step] : 0.f};
  }
  TILED(add_words)(t, rows, line, two ? line + COLUMNS : 0);
}

/// Adds a run: words of the left operand, `a_step` apart, times lines of the panel.
TARGET INLINE void TILED(add_run)(
    TILED(tile) * t, const float *const *a, long a_step, const float *panel, long length,
    ck_ahead ahead) {
  long l = 0;
  for (; l + 8 <= length; l += 8, panel += 8 * COLUMNS) {
    TILED(fetch)(&ahead);
#pragma clang loop unroll(full)
    for (long u = 0; u < 8; u += 4) {
      const float *line = panel + u * COLUMNS;
      if (a_step == 1) {
        TILED(add_four)(t, a, l + u, line);
      } else {
        TILED(add_columns)(t, a[0] + (l + u) * ROWS, line);
        TILED(add_columns)(t, a[0] + (l + u + 2) * ROWS, line + 2 * COLUMNS);
      }
    }
  }
  for (; l + 2 <= length; l += 2, panel += 2 * COLUMNS)
    TILED(add_rest)(t, a, l, a_step, panel, 1);
  if (l < length) TILED(add_rest)(t, a, l, a_step, panel, 0);
}

/// The same, with lines from the source, of which the panel is made first.
TARGET INLINE void TILED(add_source)(
    TILED(tile) * t, const float *const *a, const float *source, long stride, float *panel,
    long length, ck_ahead ahead) {
  ck_pack_panels(1, source, 0, stride, LINES * length, COLUMNS, 0, panel);
  TILED(add_run)(t, a, 1, panel, length, ahead);
}

/// Squares become rows.
TARGET INLINE void TILED(order_sums)(TILED(tile) * t) {
#pragma clang loop unroll(full)
  for (long r = 0; r < ROWS; r += 2)
#pragma clang loop unroll(full)
    for (long v = 0; v < ACROSS; v++) {
      VECTOR low = t->sum[r][v], high = t->sum[r + 1][v];
      t->sum[r][v] = first_halves(low, high);
      t->sum[r + 1][v] = last_halves(low, high);
    }
}
