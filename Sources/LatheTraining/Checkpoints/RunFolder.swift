import LatheFiles
import SystemPackage

/// The folder of a run: `config.yml`, `metrics.jsonl`, `samples/`, `checkpoints/`, `best/`.
public struct RunFolder: Sendable {
  public let path: FilePath

  public init(_ path: FilePath) { self.path = path }

  /// Makes it ready to be written by this process, which has its ``RunLock``: what a crash has left
  /// in the making goes.
  ///
  /// - Throws: `FileError.unwritable`, also where a link stands in place of a folder of pictures: a
  ///   run from elsewhere may lead anywhere.
  public func prepare() throws(FileError) {
    let pictures = path.appending("samples")
    if FileSystem.isLink(pictures) {
      throw FileError(
        .unwritable, path: pictures, expected: "a folder", found: "a link")
    }
    _ = try CheckpointStore(folder: path.appending("checkpoints"), keep: 1)
    for folder in [path, pictures] { FileSystem.removeLeftovers(in: folder) }
  }

  /// Whether what the run recorded is this user's own word: nobody else's folder, and nobody
  /// else's `config.yml` in it.
  public var isOwn: Bool {
    [path, path.appending("config.yml")].allSatisfy {
      FileSystem.status($0).map(\.isOwn) ?? true
    }
  }
}
