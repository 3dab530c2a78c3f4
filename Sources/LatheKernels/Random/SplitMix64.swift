// SplitMix64: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
// Draw i of a seed is `splitMix64Finalizer(seed &+ (i + 1) &* splitMix64Increment)`.

/// What the state of SplitMix64 grows by from draw to draw: 2⁶⁴ divided by the golden ratio.
@inlinable
package var splitMix64Increment: UInt64 { 0x9e37_79b9_7f4a_7c15 }

/// The output function of SplitMix64, a one-to-one map of 64 bits.
@inlinable
package func splitMix64Finalizer(_ state: UInt64) -> UInt64 {
  var z = state
  z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
  z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
  return z ^ (z >> 31)
}
