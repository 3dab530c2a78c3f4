#pragma once
#include <stddef.h>
#include <stdint.h>

// Reads the PNG in `count` bytes as rows of 8-bit levels: grey in one channel, everything else in
// red, green, blue.
//
// Levels of 16 bits become round(sample / 257), levels of 1, 2 and 4 bits fill 0 to 255, indices
// become the palette's colours. Alpha is dropped, gamma and profiles are not applied: all chunks
// but the critical ones are passed over unread.
//
// Returns 0; or -1 if libpng refuses the file or its pixels do not fill `size` bytes, with the
// reason in `message`, of `room` bytes.
int cp_read_png(
  const uint8_t *bytes, size_t count, uint8_t *pixels, size_t size, char *message, size_t room);
