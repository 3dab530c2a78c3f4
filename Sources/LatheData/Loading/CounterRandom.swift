/// Random numbers as a function of a key and a counter: no state, so no order of calls.
///
/// The output function is SplitMix64's: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014. With a key of zero, draw i is the i-th output of SplitMix64 seeded
/// with zero.
package struct CounterRandom: Sendable {
  private let key: UInt64
  private static let golden: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// A stream for a seed.
  package init(seed: UInt64) { key = seed }

  /// A stream of its own for each `number`, unrelated to this one and to the others.
  package func stream(_ number: Int) -> CounterRandom {
    CounterRandom(seed: Self.mixed(bits(number) ^ 0x6c61_7468_6520_6473))
  }

  /// 64 random bits for a draw.
  @inline(__always)
  package func bits(_ draw: Int) -> UInt64 {
    Self.mixed(key &+ (UInt64(bitPattern: Int64(draw)) &+ 1) &* Self.golden)
  }

  /// A whole number, uniform on 0 to `bound` − 1 (up to `bound` / 2⁶⁴).
  package func integer(_ draw: Int, below bound: Int) -> Int {
    Int(bits(draw).multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number uniform on [0, 1), a multiple of 2⁻⁵³.
  package func uniform(_ draw: Int) -> Double { Double(bits(draw) >> 11) * 0x1p-53 }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var x = value
    x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
    x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
    return x ^ (x >> 31)
  }
}
