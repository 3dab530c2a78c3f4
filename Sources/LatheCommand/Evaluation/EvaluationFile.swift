import Foundation
import LatheFiles
import SystemPackage

/// The record of a run's evaluations, `evaluation.json`: `{"evaluations": […]}`, the newest last.
struct EvaluationFile {
  private let output: OutputFile
  private let earlier: [JSONValue]

  var path: FilePath { output.path }

  /// The record at a path, or a new one.
  ///
  /// - Throws: `CommandFailure`: 65 if another kind of file is there, 73 if it cannot be written.
  init(_ path: FilePath) throws {
    output = try OutputFile(path.string, option: "--out")
    guard FileManager.default.fileExists(atPath: path.string) else {
      earlier = []
      return
    }
    let bytes = try? FileSystem.contents(of: path)
    let value = bytes.flatMap { try? JSONDecoder().decode(JSONValue.self, from: Data($0)) }
    if case .array(let evaluations) = value?["evaluations"] {
      earlier = evaluations
    } else if let value, value["scores"] != nil {
      earlier = [value]  // the one evaluation that older versions kept
    } else {
      throw CommandFailure.data("\(path): expected a record of evaluations, found another file")
    }
  }

  /// Writes the record with one more evaluation.
  func append(_ members: [String: JSONValue]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let record = JSONValue.object(["evaluations": .array(earlier + [.object(members)])])
    try output.write(encoder.encode(record))
  }
}
