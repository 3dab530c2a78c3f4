import Foundation
import LatheTraining

/// Scores for the terminal, then their protocol, in lines of at most 80 columns.
struct EvaluationTable: CustomStringConvertible {
  private let evaluation: Evaluation

  init(_ evaluation: Evaluation) { self.evaluation = evaluation }

  var description: String {
    let scores = evaluation.scores
    let width = (scores.map(\.name.count).max() ?? 0) + 2
    let rows = scores.map { row($0, width) }
    // A protocol that several scores share is told once.
    let conditions = ordered(scores.compactMap(\.conditions)).map { wrapped("Scores are \($0).") }
    let samples = ordered(scores.map(\.samples)).map { samples in
      let names = scores.filter { $0.samples == samples }.map(\.name).joined(separator: ", ")
      return wrapped("\(names): \(samples)")
    }
    let warnings = evaluation.warnings.map { wrapped("warning: \($0)") }
    let leftOut = evaluation.leftOut.map {
      wrapped("left out: \($0.metric.rawValue): \($0.reason)")
    }
    return (rows + samples + conditions + warnings + leftOut).joined(separator: "\n")
  }

  private func row(_ score: Score, _ width: Int) -> String {
    let value = String(format: "%.5g", score.value)
    let deviation = score.standardDeviation.map { String(format: " ± %.2g", $0) } ?? ""
    let number = value + deviation
    return score.name.padding(toLength: width, withPad: " ", startingAt: 0)
      + number.padding(toLength: max(17, number.count + 1), withPad: " ", startingAt: 0)
      + score.unit
  }

  /// Each text once, in the order of its first appearance.
  private func ordered(_ texts: [String]) -> [String] {
    texts.enumerated().filter { texts.firstIndex(of: $1) == $0 }.map(\.element)
  }
}
