internal import CKernels

/// Philox4x32-10: four random words from a counter and a key.
///
/// Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
public func philox4x32(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
  let block = ck_philox_block(word: (counter[0], counter[1], counter[2], counter[3]))
  let word = ck_philox(block, key[0], key[1]).word
  return SIMD4(word.0, word.1, word.2, word.3)
}

/// The four words of a 64-bit counter, the upper half of Philox's counter being zero.
public func randomBits(key: UInt64, counter: UInt64) -> (UInt32, UInt32, UInt32, UInt32) {
  let words = philox4x32(
    counter: SIMD4(UInt32(truncatingIfNeeded: counter), UInt32(counter >> 32), 0, 0),
    key: SIMD2(UInt32(truncatingIfNeeded: key), UInt32(key >> 32)))
  return (words[0], words[1], words[2], words[3])
}

/// Uniform draws from [0, 1), multiples of 2⁻²⁴; element i depends on `key` and `offset + i` only.
public func randomUniform(_ y: MutableFloats, count: Int, key: UInt64, offset: UInt64) {
  forEachRange(count) { range in
    ck_random_uniform(
      y + range.lowerBound, range.count, key, offset &+ UInt64(range.lowerBound))
  }
}

/// Draws from the standard normal distribution; element i depends on `key` and `offset + i` only.
///
/// Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958, from 31 bits for the
/// radius and 32 for the angle; no draw is further than 6.7 from 0.
public func randomNormal(_ y: MutableFloats, count: Int, key: UInt64, offset: UInt64) {
  forEachRange(count) { range in
    ck_random_normal(
      y + range.lowerBound, range.count, key, offset &+ UInt64(range.lowerBound))
  }
}

/// How many of `x` are further than `limit` from 0.
public func countBeyond(_ limit: Float, _ x: Floats, count: Int) -> Int {
  ck_count_beyond(x, count, limit)
}

/// Replaces those of `x` further than `limit` from 0 by `values`, in order; there are `countBeyond`
/// of them.
public func replaceBeyond(_ limit: Float, _ x: MutableFloats, count: Int, by values: Floats) {
  ck_replace_beyond(x, count, limit, values)
}
