import SystemPackage

/// Writes arrays row by row: one into a `.npy` file, or several into an `.npz` file. The file is
/// there once it is whole.
///
/// Zip members are stored as they are, each with the 64-bit fields of PKWARE's "APPNOTE.TXT",
/// 4.5.3, which hold any size.
package final class NumPyWriter {
  /// The type of an array's numbers.
  package enum Element: String, Sendable {
    case uint8 = "|u1"
    case int64 = "<i8"
    case float32 = "<f4"
    case float64 = "<f8"

    fileprivate var size: Int {
      switch self {
      case .uint8: 1
      case .int64, .float64: 8
      case .float32: 4
      }
    }
  }

  /// An array that is to be written; a `.npy` file has one, whose name is not in the file.
  package struct Array: Sendable {
    package let name: String
    package let element: Element
    /// The first size counts the rows.
    package let shape: [Int]

    package init(_ name: String, _ element: Element, _ shape: [Int]) {
      (self.name, self.element, self.shape) = (name, element, shape)
    }
  }

  /// How far an array has been written.
  private struct Part {
    let array: Array
    /// Where its bytes begin in the file, and what comes before its numbers.
    let start: Int
    let header: [UInt8]
    /// Bytes written of it, the header's too.
    var written = 0
    var checksum = Checksum()

    var size: Int { header.count + array.shape.reduce(array.element.size, *) }
  }

  package let path: FilePath
  private let isArchive: Bool
  private var parts: [Part] = []
  private let file: OpenFile
  private var isFinished = false

  /// A file that ends in `.npz`, or is said to be one, is an archive.
  ///
  /// - Throws: `FileError` (unwritable).
  package init(
    _ path: FilePath, _ arrays: [Array], isArchive: Bool? = nil
  ) throws(FileError) {
    self.path = path
    self.isArchive = isArchive ?? (path.extension?.lowercased() == "npz")
    require(self.isArchive || arrays.count == 1, "\(path): \(arrays.count) arrays in a .npy file")
    file = try OpenFile(creating: FileSystem.temporaryPath(beside: path))
    var end = 0
    for array in arrays {
      let start = end + (self.isArchive ? ZipMember.headerSize(of: array.name + ".npy") : 0)
      let header = Self.header(type: array.element.rawValue, shape: array.shape)
      parts.append(Part(array: array, start: start, header: header))
      end = start + parts.last!.size
    }
    for index in parts.indices { try append(parts[index].header, to: index) }
  }

  deinit { if !isFinished { FileSystem.remove(file.path) } }

  /// Appends numbers of an array's element type, whole rows or parts of them.
  package func append<Value: BitwiseCopyable>(
    _ values: [Value], to array: Int = 0
  ) throws(FileError) {
    require(
      MemoryLayout<Value>.size == parts[array].array.element.size,
      "\(path): \(Value.self) in an array of \(parts[array].array.element)")
    try append(values.withUnsafeBytes { [UInt8]($0) }, to: array)
  }

  private func append(_ bytes: [UInt8], to index: Int) throws(FileError) {
    let part = parts[index]
    require(part.written + bytes.count <= part.size, "\(path): more rows than were announced")
    try file.write(bytes, at: part.start + part.written)
    parts[index].written += bytes.count
    parts[index].checksum.update(bytes)
  }

  /// Puts the file in its place; all rows have been written.
  ///
  /// - Throws: `FileError` (unwritable).
  package func finish() throws(FileError) {
    require(parts.allSatisfy { $0.written == $0.size }, "\(path): fewer rows than were announced")
    if isArchive { try writeDirectory() }
    try file.sync()
    try FileSystem.rename(file.path, to: path)
    isFinished = true
  }

  private func writeDirectory() throws(FileError) {
    let members = parts.map { part in
      ZipMember(
        name: part.array.name + ".npy", size: part.size, checksum: part.checksum.value,
        start: part.start)
    }
    for member in members { try file.write(member.header, at: member.headerStart) }
    let last = parts.last.map { $0.start + $0.size } ?? 0
    try file.write(ZipMember.directory(of: members, at: last), at: last)
  }
}

extension NumPyWriter {
  /// A header as NumPy writes it: version 1, values from a multiple of 64 bytes on.
  static func header(type: String, shape: [Int]) -> [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var text = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
    let end = 10 + text.utf8.count + 1
    text += String(repeating: " ", count: (64 - end % 64) % 64) + "\n"
    let length = UInt16(text.utf8.count)
    return [0x93] + Swift.Array("NUMPY".utf8) + [
      1, 0, UInt8(truncatingIfNeeded: length), UInt8(length >> 8),
    ]
      + Swift.Array(text.utf8)
  }
}
