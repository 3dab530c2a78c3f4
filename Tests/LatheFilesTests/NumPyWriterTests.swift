import LatheFiles
import SystemPackage
import TestSupport
import Testing

/// Arrays that are written row by row; NumPy's own reader has been asked, outside.
@Suite struct NumPyWriterTests {
  @Test func oneArray() throws {
    let scratch = try Scratch()
    let path = scratch.path.appending("x.npy")
    let writer = try NumPyWriter(path, [.init("x", .float32, [3, 2])])
    try writer.append([1, 2] as [Float])
    try writer.append([3, 4, 5, 6] as [Float])
    #expect(try names(in: scratch.path) != ["x.npy"])
    try writer.finish()
    #expect(try names(in: scratch.path) == ["x.npy"])
    let bytes = try bytes(of: path)
    #expect(bytes.count == 128 + 24)
    let array = try NumPyArray(bytes, path: path)
    #expect(array == NumPyArray([1, 2, 3, 4, 5, 6], shape: [3, 2]))
  }

  @Test func severalArrays() throws {
    let scratch = try Scratch()
    let path = scratch.path.appending("x.npz")
    let writer = try NumPyWriter(
      path, [.init("codes", .float32, [2, 2]), .init("labels", .int64, [2])])
    try writer.append([1, 2] as [Float])
    try writer.append([7, 9] as [Int64], to: 1)
    try writer.append([3, -4] as [Float])
    try writer.finish()
    let archive = try NumPyArchive(path)
    #expect(try archive.array("codes") == NumPyArray([1, 2, 3, -4], shape: [2, 2]))
    let zip = try ZipArchive(path)
    #expect(zip.entries.map(\.name) == ["codes.npy", "labels.npy"])
    let labels = try zip.content(of: zip.entries[1])
    #expect(labels.suffix(16) == [7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0])
  }

  /// What is given up leaves nothing behind, and what was there before stays.
  @Test func unfinished() throws {
    let scratch = try Scratch()
    let path = scratch.path.appending("x.npy")
    try write([1, 2, 3], to: path)
    do { _ = try NumPyWriter(path, [.init("x", .uint8, [5])]) }
    #expect(try names(in: scratch.path) == ["x.npy"])
    #expect(try bytes(of: path) == [1, 2, 3])
  }
}
