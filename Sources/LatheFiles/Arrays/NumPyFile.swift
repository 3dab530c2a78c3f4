import SystemPackage

/// The arrays of an `.npz` file, or the one of a `.npy` file, which has no name; read when they are
/// asked for.
package struct NumPyFile: Sendable {
  package let path: FilePath
  /// In the order of the file; `[""]` for a `.npy` file.
  package let names: [String]
  private let source: Source

  private enum Source: Sendable {
    case file(MappedFile)
    case archive(ZipArchive)
  }

  /// A file that ends in `.npz` is an archive.
  ///
  /// - Throws: `FileError`: missing if the file cannot be read, damaged if it is no such archive.
  package init(_ path: FilePath) throws(FileError) {
    self.path = path
    guard Self.isArchive(path) else {
      (source, names) = (.file(try MappedFile(path)), [""])
      return
    }
    let archive = try ZipArchive(path)
    source = .archive(archive)
    names = archive.entries.filter { $0.name.hasSuffix(".npy") }.map { String($0.name.dropLast(4)) }
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw FileError(
        .damaged, "array", path: path, expected: "names that differ", found: "\(twice) twice")
    }
  }

  /// Whether a path names an array file by its ending.
  package static func isNamed(_ path: FilePath) -> Bool {
    isArchive(path) || path.extension?.lowercased() == "npy"
  }

  private static func isArchive(_ path: FilePath) -> Bool {
    path.extension?.lowercased() == "npz"
  }

  /// What the array's header says.
  ///
  /// - Throws: `FileError` (damaged).
  package func header(_ name: String) throws(FileError) -> NumPyHeader {
    try content(name).header(path(of: name))
  }

  /// An array of uint8, float32 or float64.
  ///
  /// - Throws: `FileError` (damaged).
  package func numbers(_ name: String) throws(FileError) -> NumPyNumbers {
    try NumPyNumbers(content(name), path: path(of: name))
  }

  /// An array of whole numbers of any size, row-major.
  ///
  /// - Throws: `FileError` (damaged) for another type, a number beyond 63 bits, or more than 640
  ///   MiB.
  package func integers(_ name: String) throws(FileError) -> (values: [Int], shape: [Int]) {
    let (content, path) = (try content(name), path(of: name))
    let header = try content.header(path)
    guard content.count <= Limit.member else {
      throw Limit.exceeded("labels", "\(content.count)", limit: Limit.member, in: path)
    }
    guard let type = IntegerType(header.type) else {
      throw FileError(
        .damaged, "element type", path: path, expected: "whole numbers", found: header.summary)
    }
    try content.requireSize(of: header, type.size, path)
    let values = content.withBytes(header.start..<content.count) { type.numbers(in: $0) }
    guard let values else {
      throw FileError(.damaged, "numbers", path: path, expected: "below 2⁶³", found: "a larger one")
    }
    return (
      header.isFortranOrder ? NumPyArray.rowMajor(values, header.shape) : values, header.shape
    )
  }

  /// Each array with its type and shape, for messages; of large ones that are deflated the name.
  package var summary: String {
    let shown = names.prefix(8).map { name in
      let header = isQuick(name) ? try? header(name) : nil
      return String(name.prefix(60)) + (header.map { " (\($0.summary))" } ?? "")
    }
    let rest = names.count - shown.count
    if shown.isEmpty { return "no arrays" }
    return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }

  private func isQuick(_ name: String) -> Bool {
    guard case .archive(let archive) = source, let entry = entry(name, archive) else { return true }
    return entry.size <= 1 << 23
  }

  /// The path that names an array in messages.
  package func path(of name: String) -> FilePath {
    guard case .archive(let archive) = source, let entry = entry(name, archive) else { return path }
    return archive.path(of: entry)
  }

  private func entry(_ name: String, _ archive: ZipArchive) -> ZipArchive.Entry? {
    archive.entries.first { $0.name == name + ".npy" }
  }

  private func content(_ name: String) throws(FileError) -> ArrayContent {
    switch source {
    case .file(let file): return .mapped(file, file.bytes.indices)
    case .archive(let archive):
      guard let entry = entry(name, archive) else {
        throw FileError(
          .damaged, "array", path: path, expected: name, found: names.joined(separator: ", "))
      }
      if let (file, range) = try archive.storedContent(of: entry) { return .mapped(file, range) }
      return .memory(try archive.content(of: entry))
    }
  }
}

/// How whole numbers lie in a file.
private struct IntegerType {
  let size: Int
  private let isSigned, isBigEndian: Bool

  init?(_ format: String) {
    let kinds: [Character: Bool] = ["i": true, "u": false, "b": false]
    guard let letter = format.first(where: \.isLetter), let isSigned = kinds[letter],
      let size = Int(format.drop { !$0.isNumber }), [1, 2, 4, 8].contains(size)
    else { return nil }
    (self.size, self.isSigned, isBigEndian) = (size, isSigned, format.hasPrefix(">"))
  }

  /// nil if one does not fit.
  func numbers(in bytes: UnsafeRawBufferPointer) -> [Int]? {
    var values: [Int] = []
    values.reserveCapacity(bytes.count / size)
    for start in stride(from: 0, to: bytes.count, by: size) {
      let own = bytes[start..<start + size]
      let bits = (isBigEndian ? Array(own) : own.reversed()).reduce(UInt64(0)) {
        $0 << 8 | UInt64($1)
      }
      let shift = UInt64(64 - 8 * size)
      let value = isSigned ? Int(Int64(bitPattern: bits << shift) >> shift) : Int(exactly: bits)
      guard let value else { return nil }
      values.append(value)
    }
    return values
  }
}
