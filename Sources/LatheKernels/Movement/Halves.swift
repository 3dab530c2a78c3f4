internal import CKernels

/// `count` floats as bfloat16 numbers of 16 bits, ties to even. The target may begin where the
/// values do.
public func packBFloat16(
  _ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, _ count: Int
) {
  ck_to_bfloat16(values, target, count)
}

/// `count` bfloat16 numbers as floats. The numbers may be the second half of the target.
public func expandBFloat16(
  _ numbers: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ count: Int
) {
  ck_from_bfloat16(numbers, target, count)
}

/// `count` floats rounded to bfloat16, ties to even, where they are.
public func roundToBFloat16(_ values: UnsafeMutablePointer<Float>, _ count: Int) {
  ck_round_to_bfloat16(values, values, count)
}
