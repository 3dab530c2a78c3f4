import Foundation
import LatheFiles
import LatheTraining
import SystemPackage
import TestSupport
import Testing

@Suite struct RunLogTests {
  let scratch: Scratch
  var path: FilePath { scratch.path.appending("metrics.jsonl") }

  init() throws { scratch = try Scratch() }

  private func step(_ number: Int, _ loss: Double = 0) -> [String: JSONValue] {
    ["event": .string("step"), "step": .int(number), "loss": .double(loss)]
  }

  private var steps: [Int] {
    RunLog.records(of: scratch.path).compactMap {
      guard $0["event"] == .string("step"), case .int(let step)? = $0["step"] else { return nil }
      return step
    }
  }

  /// Whoever writes appends: what others have open goes on being the log.
  @Test func severalWritersAppendToOneFile() throws {
    let training = try RunLog(folder: scratch.path, resumingAt: 0)
    try training.write(step(1))
    try RunLog.append(["event": .string("evaluation"), "step": .int(1)], to: scratch.path)
    try training.write(step(2))
    #expect(steps == [1, 2])
    #expect(RunLog.records(of: scratch.path).count == 3)
  }

  @Test func whatAResumedRunMakesAgainCountsOnce() throws {
    let first = try RunLog(folder: scratch.path, resumingAt: 0)
    for number in 1...5 { try first.write(step(number, 1)) }
    let before = try bytes(of: path)
    let second = try RunLog(folder: scratch.path, resumingAt: 3)
    for number in 4...6 { try second.write(step(number, 2)) }
    #expect(steps == [1, 2, 3, 4, 5, 6])
    let losses = RunLog.records(of: scratch.path).compactMap { $0["loss"] }
    #expect(losses == [1, 1, 1, 2, 2, 2].map { .double($0) })
    #expect(try bytes(of: path).starts(with: before), "nothing is taken out")
  }

  @Test(arguments: [Array(#"{"event":"step","st"#.utf8), [0xFF, 0xC3], [0]])
  func aTornLineLosesNothingElse(_ torn: [UInt8]) throws {
    try RunLog(folder: scratch.path, resumingAt: 0).write(step(1))
    try write(try bytes(of: path) + torn, to: path)
    try RunLog.append(step(2), to: scratch.path)
    #expect(steps == [1, 2])
  }

  @Test func aLogIsNeverWrittenThroughALink() throws {
    let other = scratch.path.appending("other")
    try write([1], to: other)
    #expect(symlink(other.string, path.string) == 0)
    #expect(fileError { try RunLog.append(step(1), to: scratch.path) }?.kind == .unwritable)
    #expect(try bytes(of: other) == [1])
  }

  /// Mutated logs: lines or none, and soon.
  @Test func mutatedLogsAreRead() throws {
    let line = Array(#"{"event":"step","step":12,"elbo/activeDimensions":3.5,"split":"é"}"#.utf8)
    let original = [[UInt8]](repeating: line, count: 4).joined(separator: [10]) + [10]
    var random = Mutations(seed: 4)
    for _ in 0..<Mutations.trials {
      try write(random.mutated(Array(original)), to: path)
      #expect(RunLog.records(of: scratch.path).count <= 5)
    }
  }
}
