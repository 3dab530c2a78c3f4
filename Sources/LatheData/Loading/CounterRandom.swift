import LatheKernels

/// Random numbers as a function of a key and a counter: no state, so no order of calls.
///
/// The output function is SplitMix64's: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014. With a key of zero, draw i is the i-th output of SplitMix64 seeded
/// with zero.
package struct CounterRandom: Sendable {
  private let key: UInt64

  /// A stream for a seed.
  package init(seed: UInt64) { key = seed }

  /// A stream of its own for each `number`, unrelated to this one and to the others.
  package func stream(_ number: Int) -> CounterRandom {
    CounterRandom(seed: splitMix64Finalizer(bits(number) ^ 0x6c61_7468_6520_6473))
  }

  /// 64 random bits for a draw.
  @inline(__always)
  package func bits(_ draw: Int) -> UInt64 {
    splitMix64Finalizer(key &+ (UInt64(bitPattern: Int64(draw)) &+ 1) &* splitMix64Increment)
  }

  /// A whole number, uniform on 0 to `bound` − 1 (up to `bound` / 2⁶⁴).
  package func integer(_ draw: Int, below bound: Int) -> Int {
    Int(bits(draw).multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number uniform on [0, 1), a multiple of 2⁻⁵³.
  package func uniform(_ draw: Int) -> Double { Double(bits(draw) >> 11) * 0x1p-53 }
}
