import Foundation
import LatheData
import LatheFiles
import LatheMetrics
import LatheReports
import LatheTraining
import SystemPackage

/// Prints the scores of a run and keeps them; rank 0 only.
struct EvaluationReport {
  let evaluation: Evaluation
  let saved: SavedRun
  let reference: Split
  let settings: EvaluationSettings
  /// The features in words.
  let features: String
  let file: EvaluationFile
  let svg: Bool

  func write() throws {
    print(EvaluationTable(evaluation))
    try file.append(record())
    print("written          \(file.path)")
    log()
    if let curve = evaluation.curve { try draw(curve) }
    flushOutput()
  }

  private func record() throws -> [String: JSONValue] {
    let state = saved.state
    return evaluation.json.merging([
      "model": .string(state.run.model.name), "dataset": .string(state.run.data.dataset),
      "step": .int(state.step),
      "checkpoint": .string(saved.checkpoint.string),
      "reference": .string(reference.rawValue), "features": .string(features),
      "settings": try JSONValue(encoding: settings), "written by": .string("lathe \(version)"),
    ]) { $1 }
  }

  /// The scores are written by now: a run whose log cannot be written to is no failure.
  private func log() {
    let line: [String: JSONValue] = [
      "event": .string("evaluation"), "step": .int(saved.state.step),
      "split": .string(reference.rawValue), "features": .string(features),
    ]
    do {
      try RunLog.append(line.merging(evaluation.members) { $1 }, to: saved.folder)
    } catch { warn("not logged: \(error)") }
  }

  /// Without gnuplot there is a warning and no curve.
  private func draw(_ curve: PrecisionRecallCurve) throws {
    var chart = Chart(
      title: saved.title("precision and recall"), xLabel: "recall", yLabel: "precision",
      .curves([Chart.Series("", points: zip(curve.recall, curve.precision).map { ($0, $1) })]))
    (chart.xRange, chart.yRange) = (0...1, 0...1)
    var figures = FigureOptions()
    (figures.out, figures.svg) = (nil, svg)
    do {
      let paths = try figures.write(
        saved.pictureName("precision-recall"), in: saved.pictures
      ) { try chart.write(to: $0) }
      print("curve            \(paths)")
    } catch { warn("no curve: \(error)") }
  }

  private func warn(_ text: String) {
    writeError("lathe: \(text)")
  }
}
