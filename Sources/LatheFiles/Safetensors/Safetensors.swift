import SystemPackage

/// A safetensors file, memory-mapped and with its header checked.
///
/// The format is that of the Python package `safetensors`: the header's length (eight bytes,
/// little-endian), a JSON header, then the tensors' values without gaps. Tensors of type F32 are
/// read as they are, F16 and BF16 widened, F64 and I64 rounded to `Float`; others can be listed but
/// not read. Names are bytes: two normal forms of a letter are two names.
///
/// Files that ``write(_:metadata:to:)`` made carry each tensor's CRC-32 in their metadata under
/// `crc32.NAME`; it is checked whenever values are read.
public struct Safetensors: Sendable {
  /// The names of the tensors in the order of their values in the file.
  public let names: [String]
  /// The header's map of strings, empty if it has none.
  public let metadata: [String: String]

  let file: MappedFile
  let entries: [ByteName: Entry]

  /// Maps the file and checks its header; values are checked when they are read.
  ///
  /// - Throws: `.missing` if the file cannot be read, `.damaged` if it is not of this format.
  public init(reading path: FilePath) throws(FileError) {
    try self.init(MappedFile(path))
  }

  /// A file that is part of the program, in memory that stays; `name` is for messages.
  ///
  /// - Throws: `.damaged` if it is not of this format.
  public init(constant bytes: UnsafeRawBufferPointer, name: FilePath) throws(FileError) {
    try self.init(MappedFile(borrowing: bytes, as: name))
  }

  private init(_ file: MappedFile) throws(FileError) {
    self.file = file
    let header = try Header(file)
    entries = header.entries
    names = header.names
    metadata = header.metadata
  }

  /// An error about this file, for whoever finds that it is of something else.
  public func mismatch(_ what: String, expected: String, found: String) -> FileError {
    FileError(.mismatch, what, path: file.path, expected: expected, found: found)
  }

  /// The shape of a tensor.
  ///
  /// - Throws: `.mismatch` if the file has no such tensor.
  public func shape(of name: String) throws(FileError) -> [Int] {
    try entry(name).shape
  }

  /// The types other than F32 of some tensors, sorted; those that the file does not have count for
  /// nothing.
  public func convertedTypes(of names: some Sequence<String>) -> [String] {
    Set(names.compactMap { entries[ByteName($0)]?.type }.filter { $0 != .f32 }.map(\.name)).sorted()
  }

  /// Copies a tensor's values to `destination`, which has room for a tensor of `shape`.
  ///
  /// A file whose digest has just been compared needs no `verifying` of each tensor.
  ///
  /// - Throws: `.mismatch` if there is no such tensor or its shape or type is another, `.damaged`
  ///   if its CRC-32 is wrong. Nothing is written then.
  public func copy(
    _ name: String, expecting shape: [Int], to destination: UnsafeMutablePointer<Float>,
    verifying isUnverified: Bool = true
  ) throws(FileError) {
    let entry = try entry(name)
    guard entry.shape == shape else {
      throw FileError(
        .mismatch, path: file.path, tensor: name, expected: "\(shape)", found: "\(entry.shape)")
    }
    let bytes = try readableBytes(of: name, entry, verifying: isUnverified)
    entry.type.convert(bytes, to: destination)
  }

  /// A tensor's values in row-major order.
  ///
  /// - Throws: As ``copy(_:expecting:to:verifying:)``.
  public func values(_ name: String) throws(FileError) -> [Float] {
    let entry = try entry(name)
    let bytes = try readableBytes(of: name, entry, verifying: true)
    return [Float](unsafeUninitializedCapacity: entry.count) { buffer, count in
      if let start = buffer.baseAddress { entry.type.convert(bytes, to: start) }
      count = entry.count
    }
  }

  /// Compares every tensor with its CRC-32.
  ///
  /// - Throws: `.damaged`, naming the first tensor that differs.
  public func verify() throws(FileError) {
    for name in names { try verify(name, bytes(of: try entry(name))) }
  }
}

extension Safetensors {
  private func entry(_ name: String) throws(FileError) -> Entry {
    guard let entry = entries[ByteName(name)] else {
      throw FileError(.mismatch, "no such tensor", path: file.path, tensor: name)
    }
    return entry
  }

  private func bytes(of entry: Entry) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file.bytes[entry.range])
  }

  private func readableBytes(
    of name: String, _ entry: Entry, verifying isUnverified: Bool
  ) throws(FileError) -> UnsafeRawBufferPointer {
    guard entry.type.isReadable else {
      throw FileError(
        .mismatch, "type", path: file.path, tensor: name,
        expected: "one of " + ElementType.readable.joined(separator: ", "),
        found: entry.type.name, hint: "Save the tensor as float32")
    }
    let bytes = bytes(of: entry)
    if isUnverified { try verify(name, bytes) }
    return bytes
  }

  /// Files of other programs need no CRC-32; ours do, so that losing one is noticed.
  private func verify(
    _ name: String, _ bytes: UnsafeRawBufferPointer
  ) throws(FileError) {
    let expected = metadata[Self.checksumKey(name)]
    if expected == nil, metadata["format"] != Self.format { return }
    let found = Checksum(of: bytes).hexadecimal
    if found != expected {
      throw FileError(
        .damaged, "CRC-32", path: file.path, tensor: name, expected: expected ?? "one", found: found
      )
    }
  }
}
