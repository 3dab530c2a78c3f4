import CZlib
import LatheData
import LatheFiles
import LatheMetrics
import SystemPackage
import TestSupport
import Testing

/// The `.npz` files that people have: what NumPy writes in other ways, and what is no statistics.
@Suite struct StatisticsFileTests {
  let scratch: Scratch
  var path: FilePath { scratch.path.appending("statistics.npz") }

  init() throws { scratch = try Scratch() }

  private func error(_ members: [(String, [UInt8])], deflated: Bool = false) throws -> FileError? {
    try write(zipArchive(members, deflated: deflated), to: path)
    return fileError { _ = try FeatureStatistics(reading: path) }
  }

  static let mean = npy("<f8", "(2,)", doubles([5, 6]))
  static let covariance = npy("<f8", "(2, 2)", doubles([2, 1, 1, 3]))

  /// Versions, orders, byte orders and spellings of one and the same covariance.
  static let spellings: [[UInt8]] = [
    npy("<f8", "(2, 2)", numbers, version: 2), npy("<f8", "(2, 2)", numbers, version: 3),
    npy("<f8", "(2, 2)", numbers, fortran: "True"), npy("<f8", "(2L, 2L)", numbers),
    npy("<f8", " ( 2 , 2 ) ", numbers), npy(">f8", "(2, 2)", reversedNumbers),
    npy("<f4", "(2, 2)", floats([2, 1, 1, 3])),
  ]
  private static let numbers = doubles([2, 1, 1, 3])
  private static let reversedNumbers = doubles([2, 1, 1, 3], bigEndian: true)

  @Test(arguments: spellings) func allThatNumPyWritesIsRead(sigma: [UInt8]) throws {
    for deflated in [false, true] {
      try write(
        zipArchive([("mu.npy", Self.mean), ("sigma.npy", sigma)], deflated: deflated), to: path)
      let statistics = try FeatureStatistics(reading: path)
      #expect(statistics.mean == [5, 6] && statistics.covariance == [2, 1, 1, 3])
    }
  }

  /// Value r, c, of a matrix [2, 3] and of a block [2, 3, 2] lies where NumPy has it.
  @Test func fortransOrderIsTurned() throws {
    let matrix = try NumPyArray(
      npy("<f8", "(2, 3)", doubles([0, 10, 1, 11, 2, 12]), fortran: "True"), path: "a")
    #expect(matrix == NumPyArray([0, 1, 2, 10, 11, 12], shape: [2, 3]))
    var values: [Double] = []
    for k in 0..<2 {
      for j in 0..<3 {
        for i in 0..<2 { values.append(Double(100 * i + 10 * j + k)) }
      }
    }
    let block = try NumPyArray(
      npy("<f8", "(2, 3, 2)", doubles(values), fortran: "True"), path: "a")
    #expect(block.values == [0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121])
  }

  /// A file's `mu.npy` and `sigma.npy`, and what the error says is there.
  struct Odd: Sendable {
    let members: [(String, [UInt8])]
    let found: String

    init(
      mu: [UInt8] = StatisticsFileTests.mean, sigma: [UInt8] = StatisticsFileTests.covariance,
      _ found: String
    ) {
      self.init(named: [("mu.npy", mu), ("sigma.npy", sigma)], found)
    }

    init(named members: [(String, [UInt8])], _ found: String) {
      (self.members, self.found) = (members, found)
    }
  }

  private static func matrix(_ values: [Double]) -> [UInt8] {
    npy("<f8", "(2, 2)", doubles(values))
  }

  static let odd: [Odd] = [
    Odd(named: [("mean.npy", mean), ("cov.npy", covariance)], "mean.npy (float64 [2]), cov.npy"),
    Odd(
      named: [("arr_0.npy", npy("|u1", "(1, 2, 2, 3)", [UInt8](repeating: 0, count: 12)))],
      "arr_0.npy (uint8 [1, 2, 2, 3])"),
    Odd(named: [("mu.npy", mean)], "mu.npy (float64 [2])"),
    Odd(named: [], "no arrays"),
    Odd(named: [("mu.npy", mean), ("mu.npy", mean), ("sigma.npy", covariance)], "it 2 times"),
    Odd(mu: npy("<f8", "(1, 2)", doubles([5, 6])), "[1, 2]"),
    Odd(sigma: npy("<f8", "(4,)", doubles([2, 1, 1, 3])), "[4]"),
    Odd(sigma: npy("<f8", "(1, 2, 2)", doubles([2, 1, 1, 3])), "[1, 2, 2]"),
    Odd(mu: npy("<f2", "(2,)", [0, 0, 0, 0]), "float16 [2]"),
    Odd(mu: npy("|O", "(2,)", [0x80, 4, 0x2e]), "Python objects [2]"),
    Odd(sigma: npy("<c16", "(2, 2)", [0]), "complex128 [2, 2]"),
    Odd(sigma: npy("<f16", "(2, 2)", [0]), "longdouble [2, 2]"),
    Odd(mu: npy("[('a', '<f8')]", "(2,)", [0], quoted: false), "records [2]"),
    Odd(sigma: matrix([.nan, 1, 1, 3]), "nan at [0, 0]"),
    Odd(mu: npy("<f8", "(2,)", doubles([5, .infinity])), "inf at [1]"),
    Odd(sigma: matrix([2, 1, 0, 3]), "0.0 at [1, 0], 1.0 at [0, 1]"),
    Odd(sigma: matrix([2, 1, 1, -3]), "-3.0 at [1, 1]"),
    Odd(mu: npy("<f8", "(0,)", []), sigma: npy("<f8", "(0, 0)", []), "[0]"),
    Odd(mu: npy("<f8", "(1000000, 1000000)", []), "0 bytes"),
    Odd(mu: npy("<f8", "(9223372036854775807, 2)", []), "{'descr'"),
    Odd(mu: Array(mean.prefix(9)), "9 bytes"),
    Odd(mu: npy("<f8", "(2,\(String(repeating: "1,", count: 64)))", doubles([5, 6])), "{'descr'"),
    Odd(mu: npy("<f8", "(2,)", doubles([5, 6]), version: 4), "4"),
  ]

  @Test(arguments: odd.indices) func whatIsThereIsSaid(index: Int) throws {
    let odd = Self.odd[index]
    let error = try self.error(odd.members)
    #expect(error?.kind == .damaged)
    #expect(error?.found?.contains(odd.found) == true, "\(String(describing: error))")
    #expect(error?.found?.contains("\n") == false)
    #expect(error?.hint?.isEmpty == false)
  }

  /// Rounding makes no covariance asymmetric.
  @Test func roundingIsNoAsymmetry() throws {
    let sigma = npy("<f8", "(2, 2)", doubles([2, 1, 1 + 1e-9, 3]))
    #expect(try self.error([("mu.npy", Self.mean), ("sigma.npy", sigma)]) == nil)
  }

  /// 1,100 zeros by as many shrink a thousand times, as no covariance does, and are not expanded.
  @Test func aSmallFileTakesLittleMemory() throws {
    for (size, isRead) in [(1000, true), (1100, false)] {
      let sigma = npy(
        "<f8", "(\(size), \(size))", [UInt8](repeating: 0, count: 8 * size * size))
      let mu = npy("<f8", "(\(size),)", [UInt8](repeating: 0, count: 8 * size))
      let error = try self.error([("mu.npy", mu), ("sigma.npy", sigma)], deflated: true)
      #expect((error == nil) == isRead)
      if !isRead { #expect(error?.what == "size" && error?.found == "\(sigma.count)") }
    }
    let mu = npy("<f8", "(4097,)", [UInt8](repeating: 0, count: 8 * 4097))
    let error = try self.error([("mu.npy", mu), ("sigma.npy", Self.covariance)])
    #expect(error?.what == "shape of mu" && error?.found == "[4097]")
  }

  @Test func hugeNumbersAreNoDistance() throws {
    let huge = try FeatureStatistics(
      count: nil, mean: [0, 0], covariance: [1e300, 1e299, 1e299, 1e300])
    #expect(throws: ScoreError.self) { try frechetDistance(huge, huge) }
  }
}

// MARK: Files as NumPy writes them

private func doubles(_ values: [Double], bigEndian: Bool = false) -> [UInt8] {
  values.flatMap { value in
    let bits = bigEndian ? value.bitPattern.bigEndian : value.bitPattern.littleEndian
    return withUnsafeBytes(of: bits, Array.init)
  }
}

private func floats(_ values: [Float]) -> [UInt8] {
  values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
}

private func npy(
  _ type: String, _ shape: String, _ data: [UInt8], fortran: String = "False", version: UInt8 = 1,
  quoted: Bool = true
) -> [UInt8] {
  let descr = quoted ? "'\(type)'" : type
  let text = "{'descr': \(descr), 'fortran_order': \(fortran), 'shape': \(shape), }   \n"
  let count = number(text.utf8.count, version == 1 ? 2 : 4)
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + count + Array(text.utf8) + data
}

/// A zip archive with sizes in the directory and Zip64 fields of 20 bytes in front of each member,
/// as Python writes it.
private func zipArchive(_ members: [(String, [UInt8])], deflated: Bool) -> [UInt8] {
  var (bytes, directory): ([UInt8], [UInt8]) = ([], [])
  for (name, content) in members {
    let packed = deflated ? deflate(content) : content
    let start = number(20, 2) + number(0, 2) + number(deflated ? 8 : 0, 2) + number(0, 4)
    let checksum = number(Int(Checksum(of: content).value), 4)
    let offset = bytes.count
    bytes += number(0x0403_4b50, 4) + start + checksum + [UInt8](repeating: 255, count: 8)
    bytes += number(name.utf8.count, 2) + number(20, 2) + Array(name.utf8)
    bytes += number(1, 2) + number(16, 2) + number(content.count, 8) + number(packed.count, 8)
    bytes += packed
    directory += number(0x0201_4b50, 4) + number(20, 2) + start + checksum
    directory += number(packed.count, 4) + number(content.count, 4) + number(name.utf8.count, 2)
    directory += [UInt8](repeating: 0, count: 12) + number(offset, 4) + Array(name.utf8)
  }
  let place = bytes.count
  bytes += directory + number(0x0605_4b50, 4) + number(0, 4)
  bytes += number(members.count, 2) + number(members.count, 2)
  return bytes + number(directory.count, 4) + number(place, 4) + number(0, 2)
}

private func number(_ value: Int, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

private func deflate(_ content: [UInt8]) -> [UInt8] {
  var stream = z_stream()
  let size = Int32(MemoryLayout<z_stream>.size)
  precondition(
    deflateInit2_(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK)
  var input = content
  var output = [UInt8](repeating: 0, count: content.count + 1024)
  input.withUnsafeMutableBufferPointer { source in
    output.withUnsafeMutableBufferPointer { target in
      (stream.next_in, stream.avail_in) = (source.baseAddress, UInt32(source.count))
      (stream.next_out, stream.avail_out) = (target.baseAddress, UInt32(target.count))
      precondition(CZlib.deflate(&stream, Z_FINISH) == Z_STREAM_END)
    }
  }
  output.removeLast(Int(stream.avail_out))
  deflateEnd(&stream)
  return output
}
