import LatheDistributed
import Foundation
import TestSupport
import Testing
import LatheTraining

/// Where the time goes: the table, the metrics, the timeline.
@Suite struct TimesTests {
  private func times(_ ranks: [[Activity: Double]]) -> RunTimes {
    RunTimes(
      seconds: ranks.map { rank in Activity.allCases.map { rank[$0] ?? 0 } },
      hosts: ranks.indices.map { "host\($0 / 2)" })
  }

  @Test func theStragglerIsTheRankWithMostWorkNotWithMostWaiting() throws {
    let slow = try #require(
      times([
        [.compute: 4, .waiting: 9], [.compute: 4, .data: 0.5, .waiting: 8.5],
        [.compute: 9, .optimizer: 1, .waiting: 3], [.compute: 1.5, .waiting: 11.5],
      ]).straggler)
    #expect(slow.rank == 2)
    #expect(abs(slow.excess - 1) < 1e-12)
    #expect(times([[.compute: 4]]).straggler == nil)
    #expect(times([[:], [:]]).straggler == nil)
  }

  @Test func theTableHasARowForEachActivityThatTookTime() {
    let text = times([[.compute: 3, .waiting: 1], [.compute: 1, .waiting: 3]]).description
    let lines = text.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[1].contains(/forward.backward +2\.000 s +50\.0 % +1\.000 … 3\.000 s on rank 0/))
    #expect(lines[2].contains(/waiting +2\.000 s +50\.0 % +1\.000 … 3\.000 s on rank 1/))
    #expect(lines[3].contains(/slowest +rank 0 on host0: 50\.0 % more/))
  }

  /// Events of a rank follow one another, and their sums are the metrics' and within the wall
  /// clock.
  @Test func timelineAndMetricsAddUp() throws {
    try withFolder { folder in
      let result = try mpirun(
        2, "lathe", "train", "flexae", "synthetic", "--steps", "6", "--batch", "32", "--slices",
        "4", "--set", "latentSize=6", "--set", "filters=4", "--set", "hiddenSize=24", "--out",
        "\(folder)/run", "--log-every", "1", "--checkpoint-every", "3", "--timeline",
        "\(folder)/trace.json", timeout: 60)
      #expect(result.output.contains(#/slowest +rank \d on \S+: /#))
      try checkTimeline("\(folder)/trace.json", seconds: result.seconds)
      let lines = try String(contentsOfFile: "\(folder)/run/metrics.jsonl", encoding: .utf8)
        .split(separator: "\n").filter { $0.contains("\"event\":\"step\"") }
      #expect(lines.count == 6)
      for line in lines { try checkTimes(String(line)) }
    }
  }

  /// Two rows, in which events do not overlap and end within the run's `seconds`.
  private func checkTimeline(_ path: String, seconds: Double) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let events = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    #expect(events.filter { $0["ph"] as? String == "M" }.count == 2)
    for rank in 0..<2 {
      let own = events.filter { $0["ph"] as? String == "X" && $0["tid"] as? Int == rank }
      let names = Set(own.compactMap { $0["name"] as? String })
      let expected: Set = [
        "data", "forward/backward", "waiting", "reduction", "optimizer", "evaluation", "checkpoint",
      ]
      #expect(expected.subtracting(names) == [], "rank \(rank)")
      var end = 0.0
      for event in own {
        let start = try #require(event["ts"] as? Double)
        #expect(start >= end - 0.2, "rank \(rank): events overlap")
        end = start + (try #require(event["dur"] as? Double))
      }
      #expect(end < seconds * 1e6)
    }
  }

  /// The times of a step's line add up to about the step's.
  private func checkTimes(_ line: String) throws {
    let members = try #require(
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    let parts = ["data", "forward/backward", "waiting", "reduction", "optimizer"].map {
      members["seconds/\($0)"] as? Double ?? 0
    }
    let whole = try #require(members["seconds"] as? Double)
    #expect(parts.allSatisfy { $0 > 0 } && parts.reduce(0, +) < whole * 1.5 + 0.1)
    #expect(parts.reduce(0, +) > whole * 0.7, "times that are booked nowhere: \(line)")
  }

  /// No time is lost between lines: what is not logged with a step comes with the next line, and
  /// the end has the last evaluation and checkpoint.
  @Test func evaluationsBetweenLoggedStepsAreInTheLog() throws {
    try withFolder { folder in
      try mpirun(
        1, "lathe", "train", "vae", "synthetic", "--steps", "9", "--batch", "32", "--set",
        "latentSize=6", "--set", "filters=4", "--set", "hiddenSize=24", "--out", "\(folder)/run",
        "--log-every", "4", "--preview-every", "5", "--checkpoint-every", "5", timeout: 60)
      let lines = try String(contentsOfFile: "\(folder)/run/metrics.jsonl", encoding: .utf8)
        .split(separator: "\n").compactMap {
          try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
      func steps(with key: String) -> [Int] {
        lines.filter { $0[key] as? Double ?? 0 > 0 }.compactMap { $0["step"] as? Int }
      }
      // Previews before step 1, after steps 5 and 9; checkpoints after 5 and 9.
      #expect(steps(with: "seconds/evaluation") == [1, 8, 9])
      #expect(lines.last?["event"] as? String == "end")
      #expect(lines.last?["seconds/evaluation"] as? Double ?? 0 > 0)
      #expect(lines.last?["seconds/checkpoint"] as? Double ?? 0 > 0)
    }
  }
}
