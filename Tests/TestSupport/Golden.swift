import LatheFiles
import SystemPackage
import LatheTensors

/// Values computed elsewhere, from a safetensors file beside the script that made it.
public struct Golden {
  private let file: Safetensors

  /// Opens the file at a path, such as one relative to `#filePath`.
  public init(_ path: String) throws { file = try Safetensors(reading: FilePath(path)) }

  /// Names with a prefix, the prefix taken off.
  public func names(under prefix: String) -> [String] {
    file.names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
  }

  /// A tensor by name.
  public func tensor(_ name: String) throws -> Tensor {
    Tensor(try file.values(name), shape: Shape(try file.shape(of: name)))
  }

  /// The file's metadata.
  public var metadata: [String: String] { file.metadata }
}
