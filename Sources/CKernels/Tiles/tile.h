// The body of one kind of tile, included once for each kind. Before it: TARGET, the attribute of
// the functions; ROWS of a tile; VECTOR, of LANES words, MM(name), its intrinsics, and MASK, of
// some lanes, with FIRST_OF(count), LOAD_SOME and STORE_SOME; MULTIPLY(sum, a, b), which adds to
// the sums of a vector the products of the words of either operand; LINES of the source in a word,
// and WORDS(line, stride), a vector of words from there; and TILED(name), which gives each kind's
// functions names of their own.

/// Two vectors side by side.
#define COLUMNS (2 * LANES)

/// ROWS rows × COLUMNS columns of sums, which stay in registers.
typedef struct {
  VECTOR sum[ROWS][2];
} TILED(tile);

/// A line from each of some rows.
TARGET INLINE void TILED(fetch)(ck_ahead *ahead) {
  for (long r = 0; r < ahead->rows; r++, ahead->start += ahead->stride)
    for (long j = 0; j < COLUMNS; j += 16) __builtin_prefetch(ahead->start + j);
}

TARGET INLINE void TILED(add_word)(
    TILED(tile) * t, const float *const *a, long place, VECTOR low, VECTOR high) {
#pragma clang loop unroll(full)
  for (long r = 0; r < ROWS; r++) {
    VECTOR word = MM(set1)(a[r][place]);
    t->sum[r][0] = MULTIPLY(t->sum[r][0], word, low);
    t->sum[r][1] = MULTIPLY(t->sum[r][1], word, high);
  }
}

/// Adds a run: words of the left operand, `a_step` apart, times lines of the panel.
TARGET INLINE void TILED(add_run)(
    TILED(tile) * t, const float *const *a, long a_step, const float *panel, long length,
    ck_ahead ahead) {
  long l = 0;
  for (; l + 8 <= length; l += 8) {
    TILED(fetch)(&ahead);
#pragma clang loop unroll(full)
    for (long u = 0; u < 8; u++) {
      const float *line = panel + (l + u) * COLUMNS;
      TILED(add_word)(t, a, (l + u) * a_step, MM(loadu)(line), MM(loadu)(line + LANES));
    }
  }
  for (; l < length; l++) {
    const float *line = panel + l * COLUMNS;
    TILED(add_word)(t, a, l * a_step, MM(loadu)(line), MM(loadu)(line + LANES));
  }
}

/// The same, with lines from the source, whose words are copied to the panel in passing.
TARGET INLINE void TILED(add_source)(
    TILED(tile) * t, const float *const *a, const float *line, long stride, float *panel,
    long length, ck_ahead ahead) {
  for (long l = 0; l < length; l++, line += LINES * stride, panel += COLUMNS) {
    if (l % 8 == 0) TILED(fetch)(&ahead);
    VECTOR low = WORDS(line, stride), high = WORDS(line + LANES, stride);
    MM(storeu)(panel, low);
    MM(storeu)(panel + LANES, high);
    TILED(add_word)(t, a, l, low, high);
  }
}

/// Half a row of sums to memory.
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
  MASK low = FIRST_OF(min_long(job->columns, LANES));
  MASK high = FIRST_OF(max_long(job->columns - LANES, 0));
#pragma clang loop unroll(full)
  for (long r = 0; r < ROWS; r++) {
    if (r < rows) {
      float *c = job->c + job->c_rows[row + r];
      if (job->columns == COLUMNS) {
        TILED(put)(t->sum[r][0], job->adds, job->streams && !job->adds, c);
        TILED(put)(t->sum[r][1], job->adds, job->streams && !job->adds, c + LANES);
      } else {
        TILED(put_some)(t->sum[r][0], low, job->adds, c);
        if (job->columns > LANES) TILED(put_some)(t->sum[r][1], high, job->adds, c + LANES);
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
    t.sum[r][0] = t.sum[r][1] = MM(setzero)();
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
