import LatheFiles
import LatheData
import Foundation
import LatheMetrics
import SystemPackage
import Testing

struct NumPyTests {
  private let folder = FileManager.default.temporaryDirectory.appending(
    path: "lathe-statistics-\(UUID().uuidString)")

  private func withFile(_ body: (FilePath) throws -> Void) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(FilePath(folder.path).appending("statistics.npz"))
  }

  private func bytes(_ path: FilePath) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(filePath: path.string)))
  }

  @Test(arguments: ["statistics", "statistics-deflated"])
  func readsWhatNumPyWrote(_ name: String) throws {
    let statistics = try FeatureStatistics(reading: goldenPath(name))
    #expect(statistics.count == nil)
    #expect(statistics.mean == (try golden("frechet").values("mu")))
    #expect(statistics.covariance == (try golden("frechet").values("sigma")))
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let statistics = try FeatureStatistics(of: patterned(20, 7, 5))
    try withFile { path in
      for _ in 0..<2 { try statistics.write(to: path) }  // the second one replaces the first
      let read = try FeatureStatistics(reading: path)
      #expect(read.mean == statistics.mean && read.covariance == statistics.covariance)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
    }
  }

  /// The header as NumPy 2.4's `numpy.lib.format.write_array` writes it for a float64 vector of
  /// three.
  @Test func headersAreNumPys() throws {
    let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"
    let padding = String(repeating: " ", count: 118 - text.utf8.count - 1) + "\n"
    let expected =
      [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array((text + padding).utf8)
    let bytes = NumPyArray([1, 2, 3], shape: [3]).bytes
    #expect(Array(bytes[..<128]) == expected)
    #expect(Array(bytes[128..<136]) == [0, 0, 0, 0, 0, 0, 0xf0, 0x3f])
    #expect(bytes.count == 128 + 24)
  }

  /// Name, method, sizes in 64 bits and CRC-32 of the first entry, where the zip format has
  /// them.
  @Test func archivesAreStored() throws {
    try withFile { path in
      let statistics = try FeatureStatistics(count: 9, mean: [1, 2], covariance: [1, 0, 0, 1])
      try statistics.write(to: path)
      let file = try bytes(path)
      let array = NumPyArray([1, 2], shape: [2]).bytes
      var checksum = Checksum()
      checksum.update(array)
      let size = [UInt8(array.count), 0, 0, 0, 0, 0, 0, 0]
      let crc = withUnsafeBytes(of: checksum.value.littleEndian) { Array($0) }
      let header: [UInt8] =
        [0x50, 0x4b, 3, 4, 45, 0, 0, 8, 0, 0, 0, 0, 0x21, 0] + crc
        + [UInt8](repeating: 0xff, count: 8) + [6, 0, 20, 0] + Array("mu.npy".utf8)
        + [1, 0, 16, 0] + size + size
      #expect(Array(file[..<header.count]) == header)
      #expect(Array(file[header.count..<header.count + array.count]) == array)
    }
  }

  @Test func otherByteOrdersAndWidthsAreRead() throws {
    func file(_ type: String, _ data: [UInt8]) -> [UInt8] {
      let text = "{'shape': (2,), 'fortran_order': False, 'descr': '\(type)'}\n"
      return [0x93] + Array("NUMPY".utf8) + [2, 0, UInt8(text.utf8.count), 0, 0, 0]
        + Array(text.utf8) + data
    }
    let narrow = try NumPyArray(file(">f4", [0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0]), path: "x")
    #expect(narrow == NumPyArray([1, -2], shape: [2]))
    let wide = try NumPyArray(
      file(">f8", [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0]), path: "x")
    #expect(wide == NumPyArray([1, -2], shape: [2]))
  }

  @Test func damageIsNamed() throws {
    let good = NumPyArray([1, 2, 3], shape: [3]).bytes
    let reasons = [
      (Array("PK".utf8), "NumPy array"), (Array(good.dropLast()), "content"),
      (Array(good[..<40]), "NumPy header"), (good + [0], "content"),
    ]
    for (bytes, what) in reasons {
      let error = #expect(throws: FileError.self) { try NumPyArray(bytes, path: "a.npy") }
      #expect(error?.what == what && error?.kind == .damaged)
    }
    let missing = #expect(throws: FileError.self) {
      try FeatureStatistics(reading: goldenPath("kernel"))
    }
    #expect(missing?.expected == "mu.npy")
    let nowhere = #expect(throws: FileError.self) {
      try FeatureStatistics(reading: "nowhere.npz")
    }
    #expect(nowhere?.kind == .missing)
  }

  /// Any byte changed gives an error or an array, never a trap.
  @Test func noByteTraps() throws {
    let good = try bytes(goldenPath("statistics-deflated"))
    try withFile { path in
      for place in stride(from: 0, to: good.count, by: 7) {
        var bad = good
        bad[place] ^= 0x5a
        try Data(bad).write(to: URL(filePath: path.string))
        do { _ = try FeatureStatistics(reading: path) } catch is FileError {}
      }
    }
  }
}
