// The body of one kind of tile, included once for each kind. Before it: TARGET, the attribute of
// the functions; ROWS of a tile; VECTOR, of LANES words, ACROSS of them side by side, MM(name), its
// intrinsics, and MASK, of some lanes, with FIRST_OF(count), LOAD_SOME and STORE_SOME; LINES of the
// source in a word, and WORDS(line, stride), a vector of words from there; and TILED(name), which
// gives each kind's functions names of their own. Then either MULTIPLY(sum, a, b), which adds to
// the sums of a vector the products of the words of either operand, and WORD(a, r, l, u, step),
// word u of the eight words of row r from l on in every lane; or SQUARES, for squares.h, with
// MULTIPLY(sum, rows, columns).

#define COLUMNS (ACROSS * LANES)

/// ROWS rows × COLUMNS columns of sums, which stay in registers.
typedef struct {
  VECTOR sum[ROWS][ACROSS];
} TILED(tile);

/// A line from each of some rows.
TARGET INLINE void TILED(fetch)(ck_ahead *ahead) {
  for (long r = 0; r < ahead->rows; r++, ahead->start += ahead->stride)
    for (long j = 0; j < COLUMNS; j += 16) __builtin_prefetch(ahead->start + j);
}

#ifdef SQUARES
#include "squares.h"
#else
/// Adds each row's word times a line of the panel: word l, or word u of the eight from l on.
TARGET INLINE void TILED(add_word)(
    TILED(tile) * t, const float *const *a, long l, long u, int of_eight, long a_step,
    const VECTOR *line) {
#pragma clang loop unroll(full)
  for (long r = 0; r < ROWS; r++) {
    VECTOR word = of_eight ? WORD(a, r, l, u, a_step) : MM(set1)(a[r][l * a_step]);
#pragma clang loop unroll(full)
    for (long v = 0; v < ACROSS; v++) t->sum[r][v] = MULTIPLY(t->sum[r][v], word, line[v]);
  }
}

/// The same for a line of the panel in memory.
TARGET INLINE void TILED(add_line)(
    TILED(tile) * t, const float *const *a, long l, long u, int of_eight, long a_step,
    const float *panel) {
  VECTOR line[ACROSS];
#pragma clang loop unroll(full)
  for (long v = 0; v < ACROSS; v++) line[v] = MM(loadu)(panel + (l + u) * COLUMNS + v * LANES);
  TILED(add_word)(t, a, l, u, of_eight, a_step, line);
}

/// Adds a run: words of the left operand, `a_step` apart, times lines of the panel.
TARGET INLINE void TILED(add_run)(
    TILED(tile) * t, const float *const *a, long a_step, const float *panel, long length,
    ck_ahead ahead) {
  long l = 0;
  for (; l + 8 <= length; l += 8) {
    TILED(fetch)(&ahead);
#pragma clang loop unroll(full)
    for (long u = 0; u < 8; u++) TILED(add_line)(t, a, l, u, 1, a_step, panel);
  }
  for (; l < length; l++) TILED(add_line)(t, a, l, 0, 0, a_step, panel);
}

/// The same, with lines from the source, whose words are copied to the panel in passing.
TARGET INLINE void TILED(add_source)(
    TILED(tile) * t, const float *const *a, const float *source, long stride, float *panel,
    long length, ck_ahead ahead) {
  for (long l = 0; l < length; l++, source += LINES * stride, panel += COLUMNS) {
    if (l % 8 == 0) TILED(fetch)(&ahead);
    VECTOR line[ACROSS];
#pragma clang loop unroll(full)
    for (long v = 0; v < ACROSS; v++) line[v] = WORDS(source + v * LANES, stride);
#pragma clang loop unroll(full)
    for (long v = 0; v < ACROSS; v++) MM(storeu)(panel + v * LANES, line[v]);
    TILED(add_word)(t, a, l, 0, 0, 1, line);
  }
}

/// Sums are in rows already.
TARGET INLINE void TILED(order_sums)(TILED(tile) * t) { (void)t; }
#endif

/// A vector of a row's sums to memory.
TARGET INLINE void TILED(put)(VECTOR sum, int adds, int streams, float *c) {
  if (adds) sum = MM(add)(MM(loadu)(c), sum);
  if (streams)
    MM(stream)(c, sum);
  else
    MM(storeu)(c, sum);
}

/// The same for some columns only.
TARGET INLINE void TILED(put_some)(VECTOR sum, MASK mask, int adds, float *c) {
  if (adds) sum = MM(add)(LOAD_SOME(mask, c), sum);
  STORE_SOME(c, mask, sum);
}

TARGET INLINE void TILED(put_rows)(
    const TILED(tile) * t, const ck_tiles *job, long row, long rows) {
  MASK mask[ACROSS];
#pragma clang loop unroll(full)
  for (long v = 0; v < ACROSS; v++)
    mask[v] = FIRST_OF(min_long(max_long(job->columns - v * LANES, 0), LANES));
#pragma clang loop unroll(full)
  for (long r = 0; r < ROWS; r++) {
    if (r < rows) {
      float *c = job->c + job->c_rows[row + r];
      if (job->columns == COLUMNS) {
#pragma clang loop unroll(full)
        for (long v = 0; v < ACROSS; v++)
          TILED(put)(t->sum[r][v], job->adds, job->streams && !job->adds, c + v * LANES);
      } else {
#pragma clang loop unroll(full)
        for (long v = 0; v < ACROSS; v++)
          if (job->columns > v * LANES)
            TILED(put_some)(t->sum[r][v], mask[v], job->adds, c + v * LANES);
      }
    }
  }
}

/// The tile at `row`. With constants for `a_step` and `copies`, whether it copies the source, a
/// loop of its own for each.
TARGET INLINE void TILED(one_tile)(
    const ck_tiles *job, long row, long a_step, int copies, ck_ahead ahead) {
  TILED(tile) t;
  const float *a[ROWS];
  long rows = min_long(ROWS, job->rows - row);
#pragma clang loop unroll(full)
  for (long r = 0; r < ROWS; r++) {
#pragma clang loop unroll(full)
    for (long v = 0; v < ACROSS; v++) t.sum[r][v] = MM(setzero)();
    a[r] = job->a + job->a_rows[row + min_long(r, rows - 1)];
  }
  if (job->adds) fetch_sums(job, row, rows);
  for (long run = 0; run < job->runs; run++) {
    long line = run * job->run_length;
    const float *panel = job->panel + line * COLUMNS;
    if (copies)
      TILED(add_source)(
          &t, a, job->source + LINES * line * job->source_stride, job->source_stride,
          (float *)panel, job->run_length, ahead);
    else
      TILED(add_run)(&t, a, a_step, panel, job->run_length, ahead);
    ahead.start += job->run_length / 8 * ahead.rows * ahead.stride;
#pragma clang loop unroll(full)
    for (long r = 0; r < ROWS; r++) a[r] += job->run_step;
  }
  TILED(order_sums)(&t);
  TILED(put_rows)(&t, job, row, rows);
}

/// The tile at `row` takes its share of what is to be fetched meanwhile, some lines for each eight
/// words.
TARGET INLINE void TILED(fetching_tile)(const ck_tiles *job, long row, int copies) {
  long tiles = (job->rows + ROWS - 1) / ROWS;
  long groups = max_long(1, job->runs * (job->run_length / 8));
  ck_ahead share = job->ahead;
  share.rows = (job->ahead.rows + tiles * groups - 1) / (tiles * groups);
  long first = row / ROWS * groups * share.rows;
  share.start += first * share.stride;
  if (first + groups * share.rows > job->ahead.rows) share.rows = 0;
  TILED(one_tile)(job, row, 1, copies, share);
}

TARGET static void TILED(tiles)(const ck_tiles *job) {
  const ck_ahead none = {job->a, 0, 0};
  for (long row = 0; row < job->rows; row += ROWS) {
    if (job->a_step != 1)
      TILED(one_tile)(job, row, ROWS, 0, none);
    else if (job->source && row == 0)
      TILED(fetching_tile)(job, row, 1);
    else if (job->ahead.rows > 0)
      TILED(fetching_tile)(job, row, 0);
    else
      TILED(one_tile)(job, row, 1, 0, none);
  }
}

#undef COLUMNS
#undef TARGET
#undef TILED
#undef MULTIPLY
#undef LINES
#undef WORDS
#undef SQUARES
