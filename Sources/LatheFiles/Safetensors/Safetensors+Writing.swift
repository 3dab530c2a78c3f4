import SystemPackage

extension Safetensors {
  /// Metadata `format` of the files that ``write(_:metadata:to:)`` makes.
  static let format = "lathe-1"

  static func checksumKey(_ name: String) -> String { "crc32.\(name)" }

  /// Writes float32 tensors in the given order; the file appears at `path` whole or not at all.
  ///
  /// The bytes depend on the arguments only: metadata is sorted, the values begin at a multiple
  /// of 64 bytes. Metadata gets `format: lathe-1`, `layout: tensorflow` (activations NHWC,
  /// convolution weights `[height, width, in, out]`, linear weights `[in, out]`) unless `metadata`
  /// says otherwise, and each tensor's CRC-32.
  ///
  /// Shapes: `values` holds as many elements as `shape` says, in row-major order.
  ///
  /// - Throws: `.unwritable` with the system's reason; what was at `path` before is still there.
  public static func write(
    _ tensors: [(name: String, shape: [Int], values: UnsafeBufferPointer<Float>)],
    metadata: [String: String], to path: FilePath
  ) throws(FileError) {
    check(tensors)
    var strings = ["format": format, "layout": "tensorflow"]
    strings.merge(metadata) { _, given in given }
    for tensor in tensors {
      strings[checksumKey(tensor.name)] =
        Checksum(of: UnsafeRawBufferPointer(tensor.values)).hexadecimal
    }
    let head = head(header(tensors, strings))
    let values = tensors.map { UnsafeRawBufferPointer($0.values) }
    try FileSystem.replace(path, with: head, then: values)
  }

  private static func check(
    _ tensors: [(name: String, shape: [Int], values: UnsafeBufferPointer<Float>)]
  ) {
    var names: Set = ["__metadata__"]
    for (name, shape, values) in tensors {
      require(names.insert(name).inserted, "safetensors: \(name) is taken")
      require(
        shape.reduce(1, *) == values.count,
        "safetensors: \(name) has shape \(shape) but \(values.count) values")
    }
  }

  private static func header(
    _ tensors: [(name: String, shape: [Int], values: UnsafeBufferPointer<Float>)],
    _ metadata: [String: String]
  ) -> String {
    let strings = metadata.sorted { $0.key < $1.key }
      .map { "\(quotedJSON($0.key)):\(quotedJSON($0.value))" }
    var members = ["\"__metadata__\":{\(strings.joined(separator: ","))}"]
    var begin = 0
    for (name, shape, values) in tensors {
      let end = begin + 4 * values.count
      let sizes = shape.map(String.init).joined(separator: ",")
      members.append(
        "\(quotedJSON(name)):{\"dtype\":\"F32\",\"shape\":[\(sizes)],"
          + "\"data_offsets\":[\(begin),\(end)]}"
      )
      begin = end
    }
    return "{\(members.joined(separator: ","))}"
  }

  /// The length and the header, with spaces up to a multiple of 64 bytes.
  private static func head(_ header: String) -> [UInt8] {
    var text = Array(header.utf8)
    let padding = -(8 + text.count) & 63
    text += [UInt8](repeating: UInt8(ascii: " "), count: padding)
    return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text
  }
}
