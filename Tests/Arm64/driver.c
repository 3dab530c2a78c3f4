// Operands, comparisons and what they print.
#include "driver.h"

#include <stdint.h>

static int failures;

static void *memory(size_t bytes) {
  void *start = aligned_alloc(64, (bytes + 127) / 64 * 64);
  if (!start) abort();
  memset(start, 0xff, (bytes + 127) / 64 * 64);  // NaN: what is left unwritten shows
  return start;
}

float *floats(long count) { return memory((size_t)count * sizeof(float)); }
long *integers(long count) { return memory((size_t)count * sizeof(long)); }
double *doubles(long count) {
  double *start = memory((size_t)count * sizeof(double));
  memset(start, 0, (size_t)count * sizeof(double));
  return start;
}

float *values(long count, unsigned seed) {
  float *x = floats(count);
  for (long i = 0; i < count; i++) {
    uint32_t bits = ((uint32_t)i + 1) * 0x9E3779B9u ^ seed * 0x85EBCA6Bu;
    bits = (bits ^ bits >> 15) * 0x2C1B3C6Du;
    bits = (bits ^ bits >> 12) * 0x297A2D39u;
    x[i] = (float)((int32_t)(bits ^ bits >> 15) >> 8) * 0x1p-23f;
  }
  return x;
}

float *rounded_values(long count, unsigned seed) {
  float *x = values(count, seed);
  ck_round_to_bfloat16(x, x, count);
  return x;
}

/// FNV-1a.
static unsigned long long hash(const void *bytes, long count) {
  unsigned long long value = 14695981039346656037ull;
  for (long i = 0; i < count; i++)
    value = (value ^ ((const unsigned char *)bytes)[i]) * 1099511628211ull;
  return value;
}

/// The same of floats, all NaN alike: x86-64 makes them negative and arm64 positive.
static unsigned long long hash_floats(const float *x, long count) {
  float *alike = floats(count);
  for (long i = 0; i < count; i++) alike[i] = isnan(x[i]) ? 0.f : x[i];
  unsigned long long value = hash(alike, count * (long)sizeof *x);
  free(alike);
  return value;
}

void compare(
    const char *name, const float *got, const double *want, const double *scale, long count,
    double limit) {
  double largest = 0;
  long at = -1;
  for (long i = 0; i < count; i++) {
    if ((isnan(got[i]) && isnan(want[i])) || (double)got[i] == want[i]) continue;
    double difference = fabs((double)got[i] - want[i]) / (scale ? scale[i] : 1);
    if (difference <= largest) continue;
    largest = isnan(difference) ? INFINITY : difference;
    at = i;
  }
  int wrong = largest > limit;
  printf("%s\t%.2g\t%.2g\t%016llx\n", name, largest, limit, hash_floats(got, count));
  if (wrong)
    printf("WRONG\t%s [%ld of %ld]: %.9g, expected %.9g\n", name, at, count, got[at], want[at]);
  failures += wrong;
}

void print_bits(const char *name, const void *got, long bytes) {
  printf("%s\t\t\t%016llx\n", name, hash(got, bytes));
}

void expect_equal(const char *name, const float *got, const float *want, long count) {
  if (memcmp(got, want, (size_t)count * sizeof *got) == 0) return;
  printf("WRONG\t%s: other bits\n", name);
  failures++;
}

int failed(void) { return failures > 0; }

void print_processor(void) {
  ck_tile_shape shape = ck_shape_of_tiles();
  printf("processor\t%s\t%ld x %ld\t%s\n", ck_instruction_set(), shape.rows, shape.columns,
         ck_has_tiles(1) ? "pairs" : ck_has_tiles(0) ? "floats" : "no tiles");
}
