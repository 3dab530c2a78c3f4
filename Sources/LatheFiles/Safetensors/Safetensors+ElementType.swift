extension Safetensors {
  /// The type of a tensor's elements, as the header names it.
  struct ElementType: Equatable {
    /// As in the header.
    let name: String

    static let f32 = ElementType(name: "F32")

    /// Bytes of an element; nil for a type that is not known here, or of less than a byte.
    var byteCount: Int? { Self.sizes[name] }

    var isReadable: Bool { Self.readable.contains(name) }

    /// The types whose values can be read, for messages.
    static let readable = ["F32", "F64", "F16", "BF16", "I64"]

    private static let sizes = [
      "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2,
      "BF16": 2, "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
    ]

    /// Values of a readable type as `Float`; the bytes need no alignment.
    func convert(_ bytes: UnsafeRawBufferPointer, to destination: UnsafeMutablePointer<Float>) {
      switch name {
      case "F32":
        UnsafeMutableRawBufferPointer(start: destination, count: bytes.count).copyMemory(
          from: bytes)
      case "F64": convert(bytes, to: destination) { (value: Double) in Float(value) }
      case "I64": convert(bytes, to: destination) { (value: Int64) in Float(value) }
      case "F16": convert(bytes, to: destination, floatOfHalf)
      case "BF16":
        convert(bytes, to: destination) { (value: UInt16) in
          Float(bitPattern: UInt32(value) << 16)
        }
      default: trap("\(name) is not readable")
      }
    }

    private func convert<Value: BitwiseCopyable>(
      _ bytes: UnsafeRawBufferPointer, to destination: UnsafeMutablePointer<Float>,
      _ converted: (Value) -> Float
    ) {
      let size = MemoryLayout<Value>.size
      for index in 0..<bytes.count / size {
        let value = bytes.loadUnaligned(fromByteOffset: index * size, as: Value.self)
        destination[index] = converted(value)
      }
    }
  }
}

/// The value of IEEE 754's binary16: sign, five bits of exponent, ten of fraction.
func floatOfHalf(_ bits: UInt16) -> Float {
  let sign = UInt32(bits >> 15) << 31
  let (exponent, fraction) = (UInt32(bits >> 10) & 31, UInt32(bits) & 1023)
  switch exponent {
  case 0:
    let magnitude = Float(fraction) * 0x1p-24  // a subnormal number, exact in `Float`
    return Float(bitPattern: sign | magnitude.bitPattern)
  case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
  default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}
