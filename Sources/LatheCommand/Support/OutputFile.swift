import Foundation
import SystemPackage

/// A file that a command will write at its end, known to be writable before its work begins. Folders
/// that are not there are made.
struct OutputFile {
  let path: FilePath

  /// - Throws: `CommandFailure` (73) if no file can be written there, 64 if it is a folder.
  init(_ path: String, option: String) throws {
    self.path = FilePath(path)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw CommandFailure.usage("\(option): expected a file, found the folder \(path)")
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let probe = "\(folder)/.lathe-\(ProcessInfo.processInfo.processIdentifier)"
    guard FileManager.default.createFile(atPath: probe, contents: nil) else {
      throw CommandFailure.unwritable("\(path): cannot write in \(folder)")
    }
    try? FileManager.default.removeItem(atPath: probe)
  }

  /// The file is there whole or not at all.
  ///
  /// - Throws: `CommandFailure` (73).
  func write(_ data: Data) throws {
    do { try data.write(to: URL(fileURLWithPath: path.string), options: .atomic) } catch {
      throw CommandFailure.unwritable("\(path): cannot write: \(error.localizedDescription)")
    }
  }
}
