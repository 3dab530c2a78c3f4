// libpng reports errors by longjmp, which must not cross Swift frames: it stays in this file.

#include "CPictures.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  const uint8_t *bytes;
  size_t left;
  // Bytes that may still be read after the last row: libpng expands all of them.
  size_t left_after_rows;
  // Rows of the picture; 0 before the header is read.
  png_uint_32 rows;
  char *message;
  size_t room;
} Source;

static void stop(png_structp png, png_const_charp text) {
  Source *source = png_get_error_ptr(png);
  snprintf(source->message, source->room, "%s", text);
  png_longjmp(png, 1);
}

static void pass_over(png_structp png, png_const_charp text) {}

static int has_all_rows(Source *source, png_structp png) {
  return source->rows > 0
         && (png_get_current_row_number(png) >= source->rows
             || png_get_current_pass_number(png) >= PNG_INTERLACE_ADAM7_PASSES);
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
  Source *source = png_get_io_ptr(png);
  if (has_all_rows(source, png)) {
    if (count > source->left_after_rows) png_error(png, "more data than pixels");
    source->left_after_rows -= count;
  }
  if (count > source->left) png_error(png, "the file ends before the picture");
  memcpy(target, source->bytes, count);
  source->bytes += count;
  source->left -= count;
}

// Everything but critical chunks is skipped without taking memory.
static void ignore_ancillary_chunks(png_structp png) {
  static const png_byte more[] = "tRNS\0eXIf\0acTL\0fcTL\0fdAT";
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, more, sizeof more / 5);
}

static void convert_to_bytes(png_structp png, png_infop info) {
  const int type = png_get_color_type(png, info), depth = png_get_bit_depth(png, info);
  if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  if (depth == 16) png_set_scale_16(png);
  if (type & PNG_COLOR_MASK_ALPHA) png_set_strip_alpha(png);
}

static void read_rows(png_structp png, png_infop info, uint8_t *pixels, size_t size) {
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const size_t height = png_get_image_height(png, info), row = png_get_rowbytes(png, info);
  if (row == 0 || size / row != height || size % row != 0) {
    png_error(png, "rows of another length");
  }
  for (int pass = 0; pass < passes; pass++) {
    for (size_t y = 0; y < height; y++) png_read_row(png, pixels + y * row, NULL);
  }
}

int cp_read_png(
  const uint8_t *bytes, size_t count, uint8_t *pixels, size_t size, char *message, size_t room) {
  Source source = {bytes, count, 1 << 16, 0, message, room};
  snprintf(message, room, "too little memory");
  png_structp png =
    png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, stop, pass_over);
  if (!png) return -1;
  png_infop info = png_create_info_struct(png);
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    return -1;
  }
  png_set_read_fn(png, &source, read_bytes);
  // Whatever window a file announces: some need a larger one.
  png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
  ignore_ancillary_chunks(png);
  png_read_info(png, info);
  source.rows = png_get_image_height(png, info);
  convert_to_bytes(png, info);
  read_rows(png, info, pixels, size);
  png_destroy_read_struct(&png, &info, NULL);
  return 0;
}
