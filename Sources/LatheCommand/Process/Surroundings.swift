import Foundation
import LatheFiles
import SystemPackage

/// What the machine may withhold from this process, for `lathe doctor`.
package enum Surroundings {
  /// Variables without which Open MPI refuses to start ranks as root, of those that are not set.
  package static func missingForRoot(_ environment: [String: String], user: uid_t) -> [String] {
    guard user == 0 else { return [] }
    return ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"].filter {
      environment[$0] == nil
    }
  }

  /// Why no file can be written in a folder, or below the first folder above it that is there; nil
  /// if one can. With `locks` the file system must have locks too, as the cache needs them.
  package static func trouble(in folder: String, locks: Bool = false) -> String? {
    var place = URL(fileURLWithPath: folder).standardizedFileURL
    while !FileManager.default.fileExists(atPath: place.path), place.path != "/" {
      place.deleteLastPathComponent()
    }
    guard FileSystem.isFolder(FilePath(place.path)) else { return "\(place.path) is no folder" }
    return probe(place.path, locks)
  }

  /// Makes a file with a name of its own, and removes it.
  private static func probe(_ folder: String, _ locks: Bool) -> String? {
    do throws(FileError) {
      let path = try FileSystem.temporaryPath(beside: FilePath(folder).appending("lathe"))
      let file = try OpenFile(creating: path)
      defer { FileSystem.remove(path) }
      try file.write([0], at: 0)
      let isLocked = !locks || file.lock() != .unsupported
      return isLocked ? nil : "its file system has no locks: two jobs may pack the same pictures"
    } catch {
      return "\(error)"
    }
  }
}
