import LatheFiles
import Foundation
import SystemPackage

/// `metrics.jsonl`: one JSON object a line, for each logged step and each evaluation. Rank 0 only.
public final class RunLog {
  private let path: FilePath
  private let handle: FileHandle

  /// Opens the log of a run; lines of steps after `step` are dropped, for a run that is resumed
  /// there.
  ///
  /// - Throws: `FileError.unwritable` when the file cannot be written.
  public init(folder: FilePath, resumingAt step: Int) throws {
    path = folder.appending("metrics.jsonl")
    let kept = RunLog.lines(of: path, upTo: step).map { $0 + "\n" }.joined()
    try FileSystem.replace(path, with: kept)
    do {
      handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path.string))
      try handle.seekToEnd()
    } catch {
      throw FileError(.unwritable, "cannot write: \(error.localizedDescription)", path: path)
    }
  }

  /// Appends one line.
  public func write(_ members: [String: JSONValue]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var line = try encoder.encode(JSONValue.object(members))
    line.append(UInt8(ascii: "\n"))
    do {
      try handle.write(contentsOf: line)
    } catch {
      throw FileError(.unwritable, "cannot write: \(error.localizedDescription)", path: path)
    }
  }

  /// Appends one line to a run's log, which another process may be writing to as well.
  ///
  /// - Throws: `FileError.unwritable`.
  public static func append(_ members: [String: JSONValue], to folder: FilePath) throws {
    let path = folder.appending("metrics.jsonl")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let line = try Array(encoder.encode(JSONValue.object(members))) + [UInt8(ascii: "\n")]
    do {
      let file = try FileDescriptor.open(
        path, .writeOnly, options: [.append, .create],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
      try file.closeAfter { _ = try file.writeAll(line) }
    } catch {
      throw FileError(.unwritable, "cannot write: \(error)", path: path)
    }
  }

  /// The objects of a run's log in their order; none if there is no log. Damaged lines
  /// are passed over.
  public static func records(of folder: FilePath) -> [[String: JSONValue]] {
    lines(of: folder.appending("metrics.jsonl"), upTo: .max).compactMap { line in
      guard
        case .object(let members) = try? JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
      else { return nil }
      return members
    }
  }

  private static func lines(of path: FilePath, upTo step: Int) -> [String] {
    guard let text = try? String(contentsOfFile: path.string, encoding: .utf8) else { return [] }
    return text.split(separator: "\n").map(String.init).filter { line in
      guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(line.utf8)),
        case .int(let number) = value["step"]
      else { return false }
      return number <= step
    }
  }
}
