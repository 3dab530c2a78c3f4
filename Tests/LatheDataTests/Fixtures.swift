import LatheNN
import CZlib
import LatheFiles
import LatheData
import Foundation
import SystemPackage
import Testing

/// A new folder that goes away with its owner.
final class TemporaryFolder {
  let path: FilePath

  init() {
    path = FilePath(NSTemporaryDirectory()).appending("lathe-datasets-\(UUID().uuidString)")
    make(path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path.string) }

  /// Writes a file of that name, making its folder, and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> FilePath {
    let file = path.appending(name)
    make(file.removingLastComponent())
    let descriptor = try FileDescriptor.open(
      file, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    _ = try descriptor.closeAfter { try descriptor.writeAll(bytes) }
    return file
  }

  private func make(_ folder: FilePath) {
    try? FileManager.default.createDirectory(
      atPath: folder.string, withIntermediateDirectories: true)
  }
}

/// The bytes of an IDX file: magic number, sizes, values.
func idx(magic: Int, sizes: [Int], values: [UInt8]) -> [UInt8] {
  ([magic] + sizes).flatMap { word in
    (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
  } + values
}

/// The bytes of an IDX file of `count` images with values that tell the place.
func imageFile(count: Int, height: Int = 28, width: Int = 28) -> [UInt8] {
  idx(magic: 2051, sizes: [count, height, width], values: imageValues(count * height * width))
}

/// Values that differ from place to place.
func imageValues(_ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 251) }
}

/// The bytes of an IDX file of the labels 0, 1, …, 9, 0, ….
func labelFile(count: Int) -> [UInt8] {
  idx(magic: 2049, sizes: [count], values: (0..<count).map { UInt8($0 % 10) })
}

/// `bytes` as a gzip file.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var stream = z_stream()
  let size = Int32(MemoryLayout<z_stream>.size)
  var status = deflateInit2_(
    &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
  precondition(status == Z_OK)
  var input = bytes
  var output = [UInt8](repeating: 0, count: bytes.count + 1024)
  output.withUnsafeMutableBufferPointer { target in
    input.withUnsafeMutableBufferPointer { source in
      (stream.next_in, stream.avail_in) = (source.baseAddress, UInt32(source.count))
      (stream.next_out, stream.avail_out) = (target.baseAddress, UInt32(target.count))
      status = deflate(&stream, Z_FINISH)
    }
  }
  precondition(status == Z_STREAM_END)
  output.removeLast(Int(stream.avail_out))
  deflateEnd(&stream)
  return output
}

/// A set of images of one value each, whose image i is `[i, i, …]`.
func numberedSet(count: Int, shape: ImageShape = ImageShape(height: 2, width: 1, channels: 3))
  -> ImageSet
{
  ImageSet(
    name: "numbered", split: .train, shape: shape,
    pixels: (0..<count).flatMap { [UInt8](repeating: UInt8($0), count: shape.count) },
    labels: (0..<count).map { UInt8($0 % 10) }, classNames: (0...9).map(String.init))
}

/// Σ (observed − expected)² / expected, of the same expected number in each cell.
func chiSquare(_ observed: [Int]) -> Double {
  let expected = Double(observed.reduce(0, +)) / Double(observed.count)
  return observed.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
}
