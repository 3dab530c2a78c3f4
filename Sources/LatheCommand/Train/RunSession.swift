import Foundation
import LatheDistributed
import LatheFiles
import LatheKernels
import LatheTraining

/// On which machines a process trains a run, as its log says it; a run that is resumed has several.
struct RunSession {
  /// Steps made before.
  let step: Int
  /// Hosts of all ranks, `2 on node1, 2 on node2`.
  let places: String
  let ranks, threads, cores: Int
  let instructions, version: String

  /// This process's; `places` has the ranks of each host.
  init(step: Int, places: [String], ranks: Int, threads: Int) {
    (self.step, self.ranks, self.threads) = (step, ranks, threads)
    self.places = places.joined(separator: ", ")
    cores = Cores().shared
    instructions = Processor.instructionSet
    version = LatheTraining.version
  }

  /// What a line of the log says; nil for lines of other events.
  init?(_ record: [String: JSONValue]) {
    func number(_ name: String) -> Int { record[name]?.asDouble.map { Int($0) } ?? 0 }
    guard record["event"] == .string("session") else { return nil }
    (step, ranks) = (number("step"), number("ranks"))
    (threads, cores) = (number("threads"), number("cores"))
    places = record["places"]?.text ?? "?"
    (instructions, version) = (record["instructions"]?.text ?? "?", record["version"]?.text ?? "?")
  }

  /// For the log.
  var members: [String: JSONValue] {
    [
      "event": .string("session"), "step": .int(step), "places": .string(places),
      "ranks": .int(ranks), "threads": .int(threads), "cores": .int(cores),
      "instructions": .string(instructions), "version": .string(version),
      "time": .double(Date().timeIntervalSince1970),
    ]
  }

  /// `from step 0 by lathe 0.1.0 on 2 ranks (2 on node1) of 1 thread, 8 cores a machine, AVX-512`
  var text: String {
    "from step \(step) by lathe \(version) on \(counted(ranks, "rank")) (\(places)) of "
      + "\(counted(threads, "thread")); \(counted(cores, "core")) on the first machine, "
      + instructions
  }
}
