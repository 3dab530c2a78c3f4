// Binary operations on operands with strides: blocks of a few thousand elements, in which an
// operand that is neither contiguous nor one value is first written out.
#include "CKernels.h"
#include "../clones.h"

enum { BLOCK = 2048, LONG_ROW = 512 };

typedef struct {
  const float *start;
  long row, column;
  int written;  // `values` holds the operand for any block of whole rows
  float values[BLOCK];
} operand;

/// `columns` times the same value for each row, with a constant in the usual cases.
INLINE void spread(const float *from, long row, long rows, long columns, float *to) {
  INDEPENDENT
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) to[i * columns + j] = from[i * row];
}

INLINE void spread_rows(const float *from, long row, long rows, long columns, float *to) {
  switch (columns) {
    case 1: spread(from, row, rows, 1, to); break;
    case 2: spread(from, row, rows, 2, to); break;
    case 3: spread(from, row, rows, 3, to); break;
    case 4: spread(from, row, rows, 4, to); break;
    default:
      for (long i = 0; i < rows; i++) spread(from + i * row, 0, columns, 1, to + i * columns);
  }
}

CLONED static void write_out(operand *o, long r, long c, long rows, long columns) {
  const float *from = o->start + r * o->row + c * o->column;
  if (o->column == 0) {
    spread_rows(from, o->row, rows, columns, o->values);
    return;
  }
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++)
      o->values[i * columns + j] = from[i * o->row + j * o->column];
}

/// The operand for a block of rows × columns elements that starts at (r, c), and its step, 0 or 1.
static const float *block_of(operand *o, long r, long c, long rows, long columns, long *step) {
  const float *first = o->start + r * o->row + c * o->column;
  int one_row = rows == 1, same_rows = o->row == 0;
  *step = !(o->column == 0 && (one_row || same_rows));
  if (*step == 0 || (o->column == 1 && (one_row || o->row == columns))) return first;
  if (columns == 1 && o->row == 1) return first;
  if (!o->written) write_out(o, r, c, rows, columns);
  o->written = same_rows && rows > 1;
  return o->values;
}

static void combine_block(
    int operation, operand *a, operand *b, float *y, long r, long c, long rows, long columns) {
  long a_step, b_step;
  const float *p = block_of(a, r, c, rows, columns, &a_step);
  const float *q = block_of(b, r, c, rows, columns, &b_step);
  ck_combine(operation, p, a_step, q, b_step, y, rows * columns);
}

static void combine_long_rows(
    int operation, operand *a, operand *b, float *y, long rows, long columns) {
  for (long r = 0; r < rows; r++)
    for (long c = 0; c < columns; c += BLOCK)
      combine_block(operation, a, b, y + r * columns + c, r, c, 1, min_long(BLOCK, columns - c));
}

static void combine_short_rows(
    int operation, operand *a, operand *b, float *y, long rows, long columns) {
  long together = BLOCK / columns;
  for (long r = 0; r < rows; r += together)
    combine_block(operation, a, b, y + r * columns, r, 0, min_long(together, rows - r), columns);
}

void ck_combine_rows(
    int operation, const float *a, long a_row, long a_column, const float *b, long b_row,
    long b_column, float *y, long rows, long columns) {
  if (rows == 0 || columns == 0) return;
  operand p, q;
  p.start = a, p.row = a_row, p.column = columns == 1 ? 0 : a_column, p.written = 0;
  q.start = b, q.row = b_row, q.column = columns == 1 ? 0 : b_column, q.written = 0;
  if (columns >= LONG_ROW)
    combine_long_rows(operation, &p, &q, y, rows, columns);
  else
    combine_short_rows(operation, &p, &q, y, rows, columns);
}
