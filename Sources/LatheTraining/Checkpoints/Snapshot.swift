import LatheFiles
import SystemPackage
import LatheTensors

typealias NamedTensor = (name: String, shape: [Int], storage: Storage)

/// A copy of tensors in memory of its own, to be written to a file while the originals change.
///
/// Concretely, one thread copies or writes at a time, which the owner has to see to.
final class Snapshot: @unchecked Sendable {
  private let tensors: [NamedTensor]

  /// Room for tensors of these shapes; nothing is copied yet.
  init(of originals: [NamedTensor]) {
    let arena = Arena(count: originals.reduce(0) { $0 + $1.storage.count }, isZeroed: false)
    var end = 0
    tensors = originals.map { name, shape, storage in
      defer { end += storage.count }
      return (name, shape, arena.storage(end..<end + storage.count))
    }
  }

  /// Copies the originals' present values.
  func take(_ originals: [NamedTensor]) {
    for (copy, original) in zip(tensors, originals) {
      copy.storage.pointer.update(from: original.storage.pointer, count: original.storage.count)
    }
  }

  /// Writes the copy as safetensors.
  func write(to path: FilePath) throws(FileError) {
    try Safetensors.write(
      tensors.map {
        ($0.name, $0.shape, UnsafeBufferPointer(start: $0.storage.pointer, count: $0.storage.count))
      }, metadata: [:], to: path)
  }
}
