import Foundation
import LatheFiles
import SystemPackage

/// A file that a command will write at its end, known to be writable before its work begins.
/// Folders that are not there are made, except directly below the root folder: there, a folder that
/// is missing is a file system that is not mounted, or a mistake.
struct OutputFile {
  let path: FilePath

  /// - Throws: `CommandFailure` (73) if no file can be written there, 64 if it is a folder.
  init(_ path: String, option: String) throws {
    self.path = FilePath(path)
    guard !FileSystem.isFolder(self.path) else {
      throw CommandFailure.usage("\(option): expected a file, found the folder \(path)")
    }
    try OutputFile.prepare(folder: FileSystem.parent(of: self.path))
  }

  /// Makes a folder that is not there, and sees that files can be written in it.
  ///
  /// - Throws: `CommandFailure` (73).
  static func prepare(folder: FilePath) throws {
    try requireTop(of: folder)
    try failing {
      try FileSystem.makeFolders(folder)
      let probe = try FileSystem.temporaryPath(beside: folder.appending("lathe"))
      _ = try OpenFile(creating: probe)
      FileSystem.remove(probe)
    }
  }

  /// - Throws: `CommandFailure` (73) if the first folder of an absolute path is not there.
  private static func requireTop(of folder: FilePath) throws {
    guard folder.isAbsolute, let first = folder.components.first else { return }
    let top = FilePath("/").appending(first)
    guard !FileSystem.isFolder(top) else { return }
    throw CommandFailure.unwritable(
      "cannot create \(folder): expected the folder \(top), found none. Mount it or make it first")
  }

  /// The file is there whole or not at all.
  ///
  /// - Throws: `CommandFailure` (73).
  func write(_ data: Data) throws {
    try failing { try FileSystem.replace(path, with: Array(data)) }
  }
}
