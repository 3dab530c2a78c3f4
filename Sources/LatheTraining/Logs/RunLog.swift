import Foundation
import LatheFiles
import SystemPackage

// Goals, in order:
// 1. Nothing that was logged is lost: the file is only ever appended to, whoever writes.
// 2. Whole lines, also where several processes write, and after one whose writer was killed.
// 3. A resumed run's log reads as that of a run which never ended.

/// `metrics.jsonl`: one JSON object a line, for each logged step and each evaluation.
///
/// A line `{"event": "resumed", "step": s}` takes back the lines before it whose step is later than
/// s: the run goes on from there. Of several lines of one event, step and split the last counts.
public final class RunLog {
  private let file: OpenFile

  /// Opens the log of a run that begins or, after `step`, goes on.
  ///
  /// - Throws: `FileError.unwritable` when the file cannot be written.
  public init(folder: FilePath, resumingAt step: Int) throws {
    file = try OpenFile(appending: RunLog.path(in: folder))
    if try file.size() > 0 { try write(["event": .string("resumed"), "step": .int(step)]) }
  }

  /// Appends one line.
  ///
  /// - Throws: `FileError.unwritable`.
  public func write(_ members: [String: JSONValue]) throws { try file.appendLine(members) }

  /// Appends one line to a run's log, which another process may be writing to as well.
  ///
  /// - Throws: `FileError.unwritable`.
  public static func append(_ members: [String: JSONValue], to folder: FilePath) throws {
    try OpenFile(appending: path(in: folder)).appendLine(members)
  }

  /// The name of how far each latent dimension is open, a list.
  public static let maskName = "latent_mask"

  private static func path(in folder: FilePath) -> FilePath { folder.appending("metrics.jsonl") }
}

extension OpenFile {
  /// Appends a line; what a writer that was killed has left without an end becomes one of its own.
  fileprivate func appendLine(_ members: [String: JSONValue]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let line = try Array(encoder.encode(JSONValue.object(members)))
    let newline = UInt8(ascii: "\n")
    let size = try size()
    let isTorn = size > 0 ? try bytes(at: size - 1, count: 1) != [newline] : false
    try append((isTorn ? [newline] : []) + line + [newline])
  }
}

// MARK: Reading

extension RunLog {
  /// The most bytes of a log that are read, from its end.
  private static let mostBytes = 1 << 28
  /// The most bytes of a line; longer ones are passed over.
  private static let longestLine = 1 << 16

  /// The lines of a run's log that count, in their order; none if there is no log. Lines that are
  /// no JSON objects with a step are passed over.
  public static func records(of folder: FilePath) -> [[String: JSONValue]] {
    guard let file = try? MappedFile(path(in: folder)) else { return [] }
    var all: [[String: JSONValue]] = []
    for line in file.bytes.suffix(mostBytes).split(separator: UInt8(ascii: "\n")) {
      guard let (record, step) = record(line) else { continue }
      if record["event"] == .string("resumed") { all.removeAll { $0.step > step } }
      all.append(record)
    }
    return lastOfEach(all)
  }

  private static func record(
    _ line: Slice<UnsafeRawBufferPointer>
  ) -> (record: [String: JSONValue], step: Int)? {
    guard line.count <= longestLine,
      case .object(let record)? = try? JSONReader.value(
        of: Array(line)), case .int(let step)? = record["step"]
    else { return nil }
    return (record, step)
  }

  private static func lastOfEach(_ all: [[String: JSONValue]]) -> [[String: JSONValue]] {
    var seen: Set<[String]> = []
    let kept = all.reversed().filter { record in
      let key = ["event", "step", "split", "sampler", "features"].map { record[$0]?.text ?? "" }
      return seen.insert(key).inserted
    }
    return kept.reversed()
  }
}

extension [String: JSONValue] {
  fileprivate var step: Int {
    guard case .int(let step)? = self["step"] else { return 0 }
    return step
  }
}
