import Foundation
import LatheTraining

/// Scores for the terminal, each with its protocol below.
struct EvaluationTable: CustomStringConvertible {
  private let card: Evaluation

  init(_ card: Evaluation) { self.card = card }

  var description: String {
    let width = (card.scores.map(\.name.count).max() ?? 0) + 2
    let rows = card.scores.map { score in
      let name = score.name.padding(toLength: width, withPad: " ", startingAt: 0)
      let value = String(format: "%.5g", score.value)
      let deviation = score.deviation.map { String(format: " ± %.2g", $0) } ?? ""
      let number = (value + deviation).padding(toLength: 20, withPad: " ", startingAt: 0)
      return "\(name)\(number)\(score.unit)\n    \(score.protocolText)"
    }
    return (rows + card.cautions.map { "caution: \($0)" }).joined(separator: "\n")
  }
}
