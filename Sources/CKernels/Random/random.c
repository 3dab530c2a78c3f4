// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3",
// SC 2011.
//
// Elements come in groups of 64. Group n is made of the blocks of counters 16 n ..< 16 n + 16;
// element 16 w + j of the group is made of word w of block j, so that vectors are written as they
// are computed.
#include "CKernels.h"
#include "../functions.h"

/// Vectorised as a loop, rather than unrolled first.
#if defined(__clang__)
#define ROLLED _Pragma("clang loop vectorize(assume_safety) unroll(disable)")
#else
#define ROLLED
#endif

enum { ROUNDS = 10, BLOCKS = 16, WORDS = 4, GROUP = BLOCKS * WORDS };

INLINE ck_philox_block one_round(ck_philox_block c, uint32_t key0, uint32_t key1) {
  uint64_t product0 = (uint64_t)0xD2511F53u * c.word[0];
  uint64_t product1 = (uint64_t)0xCD9E8D57u * c.word[2];
  ck_philox_block next = {{
      (uint32_t)(product1 >> 32) ^ c.word[1] ^ key0, (uint32_t)product1,
      (uint32_t)(product0 >> 32) ^ c.word[3] ^ key1, (uint32_t)product0,
  }};
  return next;
}

INLINE ck_philox_block philox(ck_philox_block c, uint32_t key0, uint32_t key1) {
  for (uint32_t round = 0; round < ROUNDS; round++)
    c = one_round(c, key0 + round * 0x9E3779B9u, key1 + round * 0xBB67AE85u);
  return c;
}

ck_philox_block ck_philox(ck_philox_block counter, unsigned key0, unsigned key1) {
  return philox(counter, key0, key1);
}

/// The words of a group, word w of block j at [w][j].
INLINE void group_words(uint64_t key, uint64_t group, uint32_t words[WORDS][BLOCKS]) {
  uint64_t first = group * BLOCKS;
  ROLLED
  for (uint32_t j = 0; j < BLOCKS; j++) {
    ck_philox_block counter = {{(uint32_t)first + j, (uint32_t)(first >> 32), 0, 0}};
    ck_philox_block block = philox(counter, (uint32_t)key, (uint32_t)(key >> 32));
    for (long w = 0; w < WORDS; w++) words[w][j] = block.word[w];
  }
}

INLINE void uniform_group(uint64_t key, uint64_t group, float *y) {
  uint32_t words[WORDS][BLOCKS];
  group_words(key, group, words);
  for (long w = 0; w < WORDS; w++) {
    ROLLED
    for (long j = 0; j < BLOCKS; j++)
      y[w * BLOCKS + j] = (float)(int32_t)(words[w][j] >> 8) * 0x1p-24f;
  }
}

/// √(−2 log u), with u = (whole part of word / 2 + ½) / 2³¹, from 2⁻³² to 1.
INLINE float normal_radius(uint32_t word) {
  float u = ((float)(int32_t)(word >> 1) + 0.5f) * 0x1p-31f;
  return __builtin_elementwise_sqrt(-2.f * logarithm(u));
}

/// sin(2π word / 2³² + quadrant π/2).
INLINE float turn_sine(uint32_t word, uint32_t quadrant) {
  uint32_t nearest = (word + 0x20000000u) >> 30;
  int32_t rest = (int32_t)(word - (nearest << 30));
  return sine_in_quadrant((float)rest * 1.46291807926715968e-9f, nearest + quadrant);
}

/// Box and Muller, 1958: words 0 and 1 give elements 0 and 1, words 2 and 3 the others.
INLINE void normal_group(uint64_t key, uint64_t group, float *y) {
  uint32_t words[WORDS][BLOCKS];
  group_words(key, group, words);
  for (long w = 0; w < WORDS; w += 2) {
    ROLLED
    for (long j = 0; j < BLOCKS; j++) {
      float radius = normal_radius(words[w][j]);
      y[w * BLOCKS + j] = radius * turn_sine(words[w + 1][j], 1);
      y[(w + 1) * BLOCKS + j] = radius * turn_sine(words[w + 1][j], 0);
    }
  }
}

INLINE void group_of(int normal, uint64_t key, uint64_t group, float *y) {
  if (normal)
    normal_group(key, group, y);
  else
    uniform_group(key, group, y);
}

INLINE void elements(int normal, float *y, long count, uint64_t key, uint64_t offset) {
  float part[GROUP];
  for (long done = 0; done < count;) {
    uint64_t element = offset + (uint64_t)done;
    long skipped = (long)(element % GROUP), taken = min_long(GROUP - skipped, count - done);
    float *group = taken == GROUP ? y + done : part;
    group_of(normal, key, element / GROUP, group);
    if (group == part) memcpy(y + done, part + skipped, (size_t)taken * sizeof *y);
    done += taken;
  }
}

CLONED void ck_random_uniform(
    float *y, long count, unsigned long long key, unsigned long long offset) {
  elements(0, y, count, key, offset);
}

CLONED void ck_random_normal(
    float *y, long count, unsigned long long key, unsigned long long offset) {
  elements(1, y, count, key, offset);
}

CLONED long ck_count_beyond(const float *x, long count, float limit) {
  long beyond = 0;
  for (long i = 0; i < count; i++) beyond += __builtin_fabsf(x[i]) > limit;
  return beyond;
}

void ck_replace_beyond(float *x, long count, float limit, const float *values) {
  for (long i = 0; i < count; i++)
    if (__builtin_fabsf(x[i]) > limit) x[i] = *values++;
}
