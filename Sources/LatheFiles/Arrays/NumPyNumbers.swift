import SystemPackage

/// The numbers of an array, row-major, uint8 or float32: in the file where they lie so already,
/// else converted, in memory.
package struct NumPyNumbers: Sendable {
  /// How a number lies in the bytes.
  package enum Element: Sendable {
    case uint8, float32

    package var size: Int { self == .uint8 ? 1 : 4 }
  }

  package let element: Element
  package let shape: [Int]
  /// What was converted, in words: `float64 to float32`; nil where nothing lost digits.
  package let conversion: String?
  private let content: ArrayContent

  /// The array in the content of a `.npy` file.
  ///
  /// - Throws: `FileError` (damaged): no such array, another type, or more than 1 GiB that must be
  ///   converted.
  package init(_ content: ArrayContent, path: FilePath) throws(FileError) {
    let header = try content.header(path)
    guard let type = ElementType(header.type) ?? .uint8(header.type) else {
      throw FileError(
        .damaged, "element type", path: path, expected: "uint8, float32 or float64",
        found: header.summary, hint: "Save it with .astype(\"float32\"), if it is of numbers")
    }
    try content.requireSize(of: header, type.size, path)
    (shape, element) = (header.shape, type.size == 1 ? .uint8 : .float32)
    conversion = type.size == 8 ? "float64 to float32" : nil
    guard !type.isNative || header.isFortranOrder else {
      self.content = content.dropping(header.start)
      return
    }
    guard content.count <= Limit.file else {
      throw Limit.exceeded(
        "array that is not float32 or uint8 in C order", "\(content.count)", limit: Limit.file,
        in: path)
    }
    self.content = content.withBytes(header.start..<content.count) {
      Self.converted($0, type, header)
    }
  }

  private static func converted(
    _ bytes: UnsafeRawBufferPointer, _ type: ElementType, _ header: NumPyHeader
  ) -> ArrayContent {
    func ordered<Value>(_ values: [Value]) -> [Value] {
      header.isFortranOrder ? NumPyArray.rowMajor(values, header.shape) : values
    }
    if type.size == 1 { return .memory(ordered(Array(bytes))) }
    return .memory(ordered(type.floats(in: bytes)).withUnsafeBytes { Array($0) })
  }

  /// Calls `body` with the bytes of some numbers, which may not be aligned; they are valid only
  /// during the call.
  package func withBytes<Result>(
    of numbers: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    let size = element.size
    return content.withBytes(numbers.lowerBound * size..<numbers.upperBound * size, body)
  }
}

/// The bytes of an array with its header, in a mapped file or in memory.
package enum ArrayContent: Sendable {
  case mapped(MappedFile, Range<Int>)
  case memory([UInt8])

  package var count: Int {
    switch self {
    case .mapped(_, let range): range.count
    case .memory(let bytes): bytes.count
    }
  }

  package func withBytes<Result>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    switch self {
    case .mapped(let file, let place):
      let (start, end) = (place.lowerBound + range.lowerBound, place.lowerBound + range.upperBound)
      require(end <= place.upperBound, "\(file.path): bytes \(start) to \(end)")
      defer { withExtendedLifetime(file) {} }
      return body(UnsafeRawBufferPointer(rebasing: file.bytes[start..<end]))
    case .memory(let bytes):
      return bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
  }

  /// What the array's header says.
  ///
  /// - Throws: `FileError` (damaged).
  package func header(_ path: FilePath) throws(FileError) -> NumPyHeader {
    let start = withBytes(0..<min(count, NumPyHeader.mostBytes)) { Array($0) }
    return try NumPyHeader(start, path: path)
  }

  /// - Throws: `FileError` (damaged) unless so many numbers of `size` bytes follow the header.
  package func requireSize(
    of header: NumPyHeader, _ size: Int, _ path: FilePath
  ) throws(FileError) {
    let found = count - header.start
    guard header.count <= found / size, header.count * size == found else {
      throw FileError(
        .damaged, "content", path: path, offset: header.start,
        expected: "\(header.shape) of \(size) bytes each", found: "\(found) bytes")
    }
  }

  fileprivate func dropping(_ bytes: Int) -> ArrayContent {
    switch self {
    case .mapped(let file, let range): .mapped(file, range.dropFirst(bytes))
    case .memory(let all): .memory(Array(all.dropFirst(bytes)))
    }
  }
}
