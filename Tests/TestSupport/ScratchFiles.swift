import LatheFiles
import Foundation
import SystemPackage

/// A folder that exists as long as the reference to it.
public final class Scratch: Sendable {
  public let path: FilePath

  public init() throws {
    let url = FileManager.default.temporaryDirectory.appending(
      path: "lathe-files-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = FilePath(url.path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path.string) }
}

public func bytes(of path: FilePath) throws -> [UInt8] {
  try Array(Data(contentsOf: URL(filePath: path.string)))
}

public func write(_ bytes: [UInt8], to path: FilePath) throws {
  try Data(bytes).write(to: URL(filePath: path.string))
}

/// All names in a folder, hidden ones too, sorted.
public func names(in folder: FilePath) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
}

public struct NamedTensor: Sendable {
  public let name: String
  public let shape: [Int]
  public let values: [Float]

  public init(name: String, shape: [Int], values: [Float]) {
    (self.name, self.shape, self.values) = (name, shape, values)
  }
}

/// Writes tensors given as arrays.
public func save(
  _ tensors: [NamedTensor], metadata: [String: String] = [:], to path: FilePath
) throws {
  let buffers = tensors.map { tensor in
    let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: tensor.values.count)
    _ = copy.initialize(from: tensor.values)
    return (name: tensor.name, shape: tensor.shape, values: UnsafeBufferPointer(copy))
  }
  defer { for buffer in buffers { buffer.values.deallocate() } }
  try Safetensors.write(buffers, metadata: metadata, to: path)
}

/// A safetensors file of a header as given, whether it makes sense or not.
public func raw(header: String, data: [UInt8]) -> [UInt8] {
  raw(header: Array(header.utf8), data: data)
}

public func raw(header: [UInt8], data: [UInt8]) -> [UInt8] {
  withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header + data
}

/// The error that `body` throws, if it is about a file.
public func fileError<Result, Failure: Error>(
  _ body: () throws(Failure) -> Result
) -> FileError? {
  do { _ = try body() } catch { return error as? FileError }
  return nil
}

/// What a Python program prints; `nil` if there is no Python or it fails.
///
/// - Throws: `ProcessError.timedOut` after two minutes.
public func python(_ program: String, _ arguments: [String] = []) throws -> String? {
  do {
    let result = try runProcess("python3", ["-c", program] + arguments, timeout: 120)
    return result.status == 0 ? result.output : nil
  } catch ProcessError.notStarted {
    return nil
  }
}
