import Foundation
import LatheFiles
import SystemPackage

/// The scores of one cell, as `lathe evaluate` wrote them.
struct CellScores {
  let cell: Cell
  let run: FilePath
  let step: Int
  let features: String
  /// Each score's value, in the order of the file, with the words on how it was computed.
  let scores: [(name: String, value: Double, details: String)]

  /// nil if the cell has not been evaluated.
  init?(_ run: CellRun) {
    guard let bytes = try? FileSystem.contents(of: run.scores),
      case .array(let evaluations)? = (try? JSONReader.value(of: bytes))?["evaluations"],
      let last = evaluations.last, case .array(let scores)? = last["scores"]
    else { return nil }
    cell = run.cell
    self.run = run.place.run(of: run.cell)
    step = last["step"]?.asDouble.flatMap { Int(exactly: $0) } ?? 0
    features = last["features"]?.text ?? "?"
    self.scores = scores.compactMap { score in
      guard let name = score["name"]?.text, let value = score["value"]?.asDouble else { return nil }
      return (name, value, score["protocol"]?.text ?? "")
    }
  }

  /// The score of a name. `generation/distance` is the Fréchet distance by whichever features.
  func score(_ wanted: String) -> (name: String, value: Double)? {
    let found = scores.first { score in
      if score.name == wanted { return true }
      guard wanted.hasSuffix("/distance"), score.name.hasPrefix(wanted.dropLast(8)) else {
        return false
      }
      let kind = score.name.dropFirst(wanted.count - 8)
      return kind == "fid" || kind.hasPrefix("fid-") || kind.hasSuffix("-distance")
    }
    return found.map { ($0.name, $0.value) }
  }
}

/// Numbers that are the same but for the seed: their mean and deviation.
struct Repeated {
  let values: [Double]

  var mean: Double { values.reduce(0, +) / Double(values.count) }

  /// The standard deviation of the sample; nil for a single value.
  var deviation: Double? {
    guard values.count > 1 else { return nil }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(values.count - 1)).squareRoot()
  }

  var text: String {
    String(format: "%.4g", mean) + (deviation.map { String(format: " ± %.2g", $0) } ?? "")
  }
}
