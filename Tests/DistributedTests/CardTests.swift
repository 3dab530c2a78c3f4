import Foundation
import TestSupport
import Testing

/// `lathe card`, on folders as runs leave them.
@Suite struct CardTests {
  private func card(_ folder: String, _ more: String...) throws -> ProcessResult {
    try runProcess(builtExecutable("lathe"), ["card", folder] + more, timeout: 60)
  }

  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  private func run(in folder: String, evaluation: String? = nil) throws -> String {
    let run = "\(folder)/my-vae"
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
    try write("model: vae\ndataset: mnist\nsteps: 200\nseed: 7\n", "\(run)/config.yml")
    try write("{\"event\":\"step\",\"step\":200}\n", "\(run)/metrics.jsonl")
    if let evaluation { try write(evaluation, "\(run)/evaluation.json") }
    return run
  }

  private let evaluation = """
    {"evaluations": [{"scores": [], "step": 100}, {"reference": "test", "step": 200, "scores": [
      {"name": "fid", "value": 12.5, "unit": "distance", "protocol": "10,000 samples | x"},
      {"name": "precision", "value": "nan", "unit": "share", "protocol": ""}]}]}
    """

  @Test func theNewestScoresStandWithTheirProtocol() throws {
    try withFolder { folder in
      let result = try card(
        try run(in: folder, evaluation: evaluation), "--license", "apache-2.0")
      #expect(result.status == 0, "\(result)")
      let parts = result.output.components(separatedBy: "---\n")
      #expect(parts.count > 2 && parts[0] == "")
      for line in [
        "library_name: lathe", "license: apache-2.0", "- ylecun/mnist", "type: fid", "value: 12.5",
        "protocol: 10,000 samples | x",
      ] { #expect(parts[1].contains(line), "\(line): \(parts[1])") }
      #expect(!parts[1].contains("nan"))
      let text = parts[2...].joined()
      #expect(text.contains("# my-vae\n") && text.contains("After step 200"))
      #expect(text.contains("| fid | 12.5 | distance | 10,000 samples \\| x |\n"), "\(text)")
      #expect(text.contains("| seed | 7 |\n"))
    }
  }

  @Test func aRunWithoutScoresSaysSo() throws {
    try withFolder { folder in
      let path = "\(folder)/card.md"
      let result = try card(try run(in: folder), "--out", path)
      #expect(result.status == 0, "\(result)")
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text.contains("`lathe evaluate` measures them") && !text.contains("model-index"))
    }
  }

  /// Names in a run from elsewhere are neither markup nor metadata.
  @Test func textIsText() throws {
    try withFolder { folder in
      let hostile = #"{"evaluations": [{"scores": [{"name": "a\n---\nx: <b>", "value": 1}]}]}"#
      let result = try card(try run(in: folder, evaluation: hostile))
      #expect(result.status == 0, "\(result)")
      #expect(!result.output.contains("\nx:"), "\(result)")
      #expect(!result.output.contains("| a") || result.output.contains("\\<b\\>"), "\(result)")
    }
  }

  @Test func noRunIsMissing() throws {
    try withFolder { folder in
      let result = try card("\(folder)/none")
      #expect(result.status == 66 && result.errorOutput.contains("no run there"), "\(result)")
    }
  }
}
