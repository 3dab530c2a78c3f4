import Foundation
import Glibc
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
    var name = Array("\(folder)/.lathe-XXXXXX".utf8CString)
    let file = mkstemp(&name)
    guard file >= 0 else { return "cannot be written: \(String(cString: strerror(errno)))" }
    defer {
      unlink(name)
      close(file)
    }
    guard Glibc.write(file, "lathe", 5) == 5 else {
      return "cannot be written: \(String(cString: strerror(errno)))"
    }
    if locks && flock(file, LOCK_EX | LOCK_NB) != 0 {
      return "its file system has no locks (flock: \(String(cString: strerror(errno))))"
    }
    return nil
  }
}
