import LatheFiles
import SystemPackage

/// An array of bytes in the IDX format of MNIST.
///
/// A big-endian header (the magic number, whose last byte is the number of dimensions, then each
/// dimension's size, four bytes each), then the values in row-major order. The file may be gzipped.
/// The format is described with the data at LeCun, Cortes, Burges, "The MNIST database".
package struct IDXFile: Sendable {
  /// The size of each dimension, images or labels first.
  package let sizes: [Int]
  /// The product of `sizes` values.
  package let values: [UInt8]
  /// Whether the file was gzipped, so that offsets count its expanded bytes.
  package let isExpanded: Bool

  /// The bytes before the values of a file of `rank` dimensions.
  package static func headerSize(rank: Int) -> Int { 4 + 4 * rank }

  /// Reads the file at `path`, gzipped or not, which must have `rank` dimensions of bytes.
  ///
  /// - Throws: `FileError`: missing if it cannot be read; damaged if the magic number is another,
  ///   a size is zero, or the file is shorter or longer than its header says.
  package init(_ path: FilePath, rank: Int) throws(FileError) {
    let bytes = try OpenFile(reading: path).contents(limit: Limit.images)
    if GzipSource.begins(bytes) {
      var source = GzipSource(bytes, path: path)
      try self.init(&source, path: path, rank: rank)
    } else {
      var source = PlainSource(bytes)
      try self.init(&source, path: path, rank: rank)
    }
  }

  private init<Source: ByteSource & ~Copyable>(
    _ source: inout Source, path: FilePath, rank: Int
  ) throws(FileError) {
    isExpanded = source.isExpanded
    let header = try source.read(upTo: Self.headerSize(rank: rank))
    sizes = try Self.sizes(in: header, path: path, rank: rank, isExpanded: source.isExpanded)
    let count = try Self.product(of: sizes, path: path, isExpanded: source.isExpanded)
    values = try source.read(upTo: count)
    if values.count < count {
      throw FileError(
        .damaged, "values", path: path, offset: source.offset,
        isExpandedOffset: source.isExpanded,
        expected: "\(count) bytes after the header", found: "\(values.count)")
    }
    let end = source.offset
    if !(try source.read(upTo: 1)).isEmpty {
      throw FileError(
        .damaged, "values", path: path, offset: end, isExpandedOffset: source.isExpanded,
        expected: "the end after \(count) bytes of values", found: "further bytes")
    }
  }

  private static func sizes(
    in header: [UInt8], path: FilePath, rank: Int, isExpanded: Bool
  ) throws(FileError) -> [Int] {
    func damaged(_ what: String, _ offset: Int, _ expected: String, _ found: String)
      -> FileError
    {
      FileError(
        .damaged, what, path: path, offset: offset, isExpandedOffset: isExpanded,
        expected: expected, found: found)
    }
    let fields = stride(from: 0, to: header.count - header.count % 4, by: 4).map { start in
      header[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    let magic = 0x800 + rank  // 8 is the code of unsigned bytes
    if let found = fields.first, found != magic {
      let kind = contentKind(header).map { ", \($0)" } ?? ""
      throw damaged("magic number", 0, "\(magic)", "\(found)\(kind)")
    }
    let headerSize = Self.headerSize(rank: rank)
    guard header.count == headerSize else {
      throw damaged("header", header.count, "\(headerSize) bytes", "\(header.count)")
    }
    let sizes = Array(fields.dropFirst())
    if let empty = sizes.firstIndex(of: 0) {
      throw damaged("size of dimension \(empty)", 4 + 4 * empty, "at least 1", "0")
    }
    return sizes
  }

  private static func product(of sizes: [Int], path: FilePath, isExpanded: Bool)
    throws(FileError) -> Int
  {
    var product = 1
    for size in sizes {
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      if overflow {
        throw FileError(
          .damaged, "sizes", path: path, offset: 4, isExpandedOffset: isExpanded,
          expected: "a product below 2^63", found: "\(sizes)")
      }
      product = next
    }
    return product
  }
}
