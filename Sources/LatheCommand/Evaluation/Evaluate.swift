import ArgumentParser
import LatheFiles
import LatheDistributed
import LatheData
import Foundation
import LatheKernels
import LatheMetrics
import LatheModels
import LatheReports
import SystemPackage
import LatheTraining

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Evaluates a trained model: distances, precision and recall, correlation of codes.",
    discussion: """
      On two ranks, with the weights of Inception:
        mpirun -n 2 lathe evaluate RUN --features inception:weights.safetensors --dims 2048
      All ranks make images and take features; the numbers are the same for any number of ranks. Each is printed with
      its protocol, and written to RUN/evaluation.json and RUN/metrics.jsonl; the precision-recall curve goes beside
      the run's samples.
      """)

  @OptionGroup var source: RunOptions
  @OptionGroup var scores: EvaluationOptions

  @Option(help: "The split that the model is compared with: test, validation or train.")
  var reference: Split = .test

  @Option(help: "Where codes of new images come from (default: as in training).")
  var sampler: Sampler.Name?

  @Option(help: "What samples, pairs and subsets are drawn from.")
  var seed: UInt64 = 0

  @Flag(help: "Measure the checkpoint that was best on the validation images instead of the last.")
  var best = false

  @Option(help: "The file to write instead of RUN/evaluation.json.")
  var out: String?

  func run() throws {
    let recipe = scores.over(nil)
    let settings = try recipe.settings(seed: seed)
    let saved = try SavedRun(source.folder, step: source.step, best: best)
    let images = try saved.images(reference, at: source.data)
    let features = try failing { try recipe.choice().features(for: images.shape) }
    let world = try RankedJob.start().world
    Workers.setCount(source.threads)
    let evaluator = Evaluator(settings, reference: images, features: features, on: world)
    let codes = try saved.sampler(sampler, data: source.data, on: world)
    let card = try evaluator.evaluate(saved.loaded.model, sampler: codes)
    if let card { try failing { try report(card, saved, settings, features) } }
  }

  // MARK: Rank 0

  private func report(
    _ card: Evaluation, _ saved: SavedRun, _ settings: EvaluationSettings, _ features: ImageFeatures
  ) throws {
    print(
      "\(saved.state.model) on \(saved.state.dataset), step \(saved.state.step): \(saved.checkpoint)"
    )
    print(EvaluationTable(card))
    let path = out.map { FilePath($0) } ?? saved.folder.appending("evaluation.json")
    try write(card, saved, settings, features, to: path)
    print("written          \(path)")
    if let curve = card.curve { try draw(curve, saved, features) }
    flushOutput()
  }

  private func write(
    _ card: Evaluation, _ saved: SavedRun, _ settings: EvaluationSettings,
    _ features: ImageFeatures,
    to path: FilePath
  ) throws {
    let state = saved.state
    guard case .object(var members) = card.json else { return }
    members["model"] = .string(state.model)
    members["dataset"] = .string(state.dataset)
    members["step"] = .int(state.step)
    members["reference"] = .string(reference.rawValue)
    members["features"] = .string(features.description)
    members["settings"] = try JSONValue(encoding: settings)
    members["written by"] = .string("lathe \(version)")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let json = try encoder.encode(JSONValue.object(members))
    try FileSystem.replace(path, with: Array(json))
    let line: [String: JSONValue] = [
      "event": .string("evaluation"), "step": .int(state.step),
      "split": .string(reference.rawValue),
      "features": .string(features.description),
    ]
    try RunLog(folder: saved.folder, resumingAt: .max).write(line.merging(card.members) { $1 })
  }

  /// The numbers are written by now: without gnuplot there is a warning and no curve.
  private func draw(
    _ curve: PrecisionRecallCurve, _ saved: SavedRun, _ features: ImageFeatures
  ) throws {
    var chart = Chart(
      title: saved.title("precision and recall"), xLabel: "recall", yLabel: "precision",
      .curves([Chart.Series("", points: zip(curve.recall, curve.precision).map { ($0, $1) })]))
    (chart.xRange, chart.yRange) = (0...1, 0...1)
    do {
      try FileManager.default.createDirectory(
        atPath: saved.pictures.string, withIntermediateDirectories: true)
      for ending in ["png", "svg"] {
        let path = saved.pictures.appending("precision-recall-\(saved.state.step).\(ending)")
        try chart.write(to: path)
        print("curve            \(path)")
      }
    } catch ReportError.noGnuplot {
      FileHandle.standardError.write(Data("lathe: no curve: \(ReportError.noGnuplot)\n".utf8))
    }
  }
}
