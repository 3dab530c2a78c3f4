// The body of one kind of tile, included once for each kind. Before it: TARGET, the attribute of the
// functions; MULTIPLY(sum, a, b), which adds to 16 sums the products of 16 words of either operand;
// and TILED(name), which gives each kind's functions names of their own.

/// 8 rows × 32 columns of sums, which stay in registers.
typedef struct {
  __m512 sum[CK_TILE_ROWS][2];
} TILED(tile);

TARGET INLINE void TILED(add_word)(
    TILED(tile) * t, const float *const *a, long place, __m512 low, __m512 high) {
#pragma clang loop unroll(full)
  for (long r = 0; r < CK_TILE_ROWS; r++) {
    __m512 word = _mm512_set1_ps(a[r][place]);
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
    fetch(&ahead);
#pragma clang loop unroll(full)
    for (long u = 0; u < 8; u++) {
      const float *line = panel + (l + u) * CK_PANEL;
      TILED(add_word)(
          t, a, (l + u) * a_step, _mm512_loadu_ps(line), _mm512_loadu_ps(line + 16));
    }
  }
  for (; l < length; l++) {
    const float *line = panel + l * CK_PANEL;
    TILED(add_word)(t, a, l * a_step, _mm512_loadu_ps(line), _mm512_loadu_ps(line + 16));
  }
}

/// The same, with lines from the source, which are copied to the panel in passing.
TARGET INLINE void TILED(add_source)(
    TILED(tile) * t, const float *const *a, const float *line, long stride, float *panel,
    long length, ck_ahead ahead) {
  for (long l = 0; l < length; l++, line += stride, panel += CK_PANEL) {
    if (l % 8 == 0) fetch(&ahead);
    __m512 low = _mm512_loadu_ps(line), high = _mm512_loadu_ps(line + 16);
    _mm512_storeu_ps(panel, low);
    _mm512_storeu_ps(panel + 16, high);
    TILED(add_word)(t, a, l, low, high);
  }
}

/// Half a row of sums to memory.
TARGET INLINE void TILED(put)(__m512 sum, int adds, int streams, float *c) {
  if (adds) sum = _mm512_add_ps(_mm512_loadu_ps(c), sum);
  if (streams)
    _mm512_stream_ps(c, sum);
  else
    _mm512_storeu_ps(c, sum);
}

/// The same for some columns only.
TARGET INLINE void TILED(put_some)(__m512 sum, __mmask16 mask, int adds, float *c) {
  if (adds) sum = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, c), sum);
  _mm512_mask_storeu_ps(c, mask, sum);
}

TARGET INLINE void TILED(put_rows)(
    const TILED(tile) * t, const ck_tiles *job, long row, long rows) {
  __mmask16 low = (__mmask16)((1u << least(job->columns, 16)) - 1);
  __mmask16 high = (__mmask16)((1u << greatest(job->columns - 16, 0)) - 1);
#pragma clang loop unroll(full)
  for (long r = 0; r < CK_TILE_ROWS; r++) {
    if (r < rows) {
      float *c = job->c + job->c_rows[row + r];
      if (job->columns == CK_PANEL) {
        TILED(put)(t->sum[r][0], job->adds, job->streams && !job->adds, c);
        TILED(put)(t->sum[r][1], job->adds, job->streams && !job->adds, c + 16);
      } else {
        TILED(put_some)(t->sum[r][0], low, job->adds, c);
        if (high) TILED(put_some)(t->sum[r][1], high, job->adds, c + 16);
      }
    }
  }
}

/// The tile at `row`. With constants for `a_step` and `copies`, whether it copies the source, a loop of
/// its own for each.
TARGET INLINE void TILED(one_tile)(
    const ck_tiles *job, long row, long a_step, int copies, ck_ahead ahead) {
  TILED(tile) t;
  const float *a[CK_TILE_ROWS];
  long rows = least(CK_TILE_ROWS, job->rows - row);
#pragma clang loop unroll(full)
  for (long r = 0; r < CK_TILE_ROWS; r++) {
    t.sum[r][0] = t.sum[r][1] = _mm512_setzero_ps();
    a[r] = job->a + job->a_rows[row + least(r, rows - 1)];
  }
  if (job->adds) fetch_sums(job, row, rows);
  for (long run = 0; run < job->runs; run++) {
    long line = run * job->run_length;
    const float *panel = job->panel + line * CK_PANEL;
    if (copies)
      TILED(add_source)(
          &t, a, job->source + line * job->source_stride, job->source_stride, (float *)panel,
          job->run_length, ahead);
    else
      TILED(add_run)(&t, a, a_step, panel, job->run_length, ahead);
    ahead.start += job->run_length / 8 * ahead.rows * ahead.stride;
#pragma clang loop unroll(full)
    for (long r = 0; r < CK_TILE_ROWS; r++) a[r] += job->run_step;
  }
  TILED(put_rows)(&t, job, row, rows);
}

/// The tile at `row` takes its share of what is to be fetched meanwhile, some lines for each eight words.
TARGET INLINE void TILED(fetching_tile)(const ck_tiles *job, long row, int copies) {
  long tiles = (job->rows + CK_TILE_ROWS - 1) / CK_TILE_ROWS;
  long groups = greatest(1, job->runs * (job->run_length / 8));
  ck_ahead share = job->ahead;
  share.rows = (job->ahead.rows + tiles * groups - 1) / (tiles * groups);
  long first = row / CK_TILE_ROWS * groups * share.rows;
  share.start += first * share.stride;
  if (first + groups * share.rows > job->ahead.rows) share.rows = 0;
  TILED(one_tile)(job, row, 1, copies, share);
}

TARGET static void TILED(tiles)(const ck_tiles *job) {
  const ck_ahead none = {job->a, 0, 0};
  for (long row = 0; row < job->rows; row += CK_TILE_ROWS) {
    if (job->a_step != 1)
      TILED(one_tile)(job, row, CK_TILE_ROWS, 0, none);
    else if (job->source && row == 0)
      TILED(fetching_tile)(job, row, 1);
    else if (job->ahead.rows > 0)
      TILED(fetching_tile)(job, row, 0);
    else
      TILED(one_tile)(job, row, 1, 0, none);
  }
}
