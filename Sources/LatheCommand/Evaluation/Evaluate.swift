import ArgumentParser
import Foundation
import LatheData
import LatheDistributed
import LatheFiles
import LatheKernels
import LatheMetrics
import LatheModels
import LatheReports
import LatheTraining
import SystemPackage

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Evaluates a trained model: distances, precision and recall, codes, memorization.",
    usage: "lathe evaluate RUN [options]",
    discussion: """
      On two ranks, with the weights of Inception:
        mpirun -n 2 lathe evaluate RUN --features inception:FILE --dims 2048
      All ranks generate images and extract features; the scores are the same for any number of \
      ranks. They are printed with their protocol, added to RUN/evaluation.json and logged in \
      RUN/metrics.jsonl; the precision-recall curve goes beside the run's samples.

      What no flag says is as the run's recipe says: features, samples, minmax, rounding.

      Status 65 if a metric that --metrics names cannot be computed; the others are kept.
      """)

  @OptionGroup var source: RunOptions
  @OptionGroup var options: EvaluationFlags

  @Option(help: "The split that the model is compared with: test, validation or train.")
  var reference: Split = .test

  @Option(help: "Where codes of new images come from (default: as in training).")
  var sampler: Sampler.Name?

  @Option(
    help: "Also estimate -log p(x) from so many codes of each image, for models with a density.")
  var likelihood: Int?

  @Option(help: "What samples, pairs and subsets are drawn from.")
  var seed: UInt64 = 0

  @Option(help: "The file to add the scores to instead of RUN/evaluation.json.")
  var out: String?

  @Option(
    help: "Keep features of real images in this folder, for other evaluations.")
  var keepFeatures: String?

  @Flag(help: "Write the precision-recall curve as SVG as well.")
  var svg = false

  func validate() throws {
    try checkSeed(seed)
    try check("--likelihood", likelihood, in: 1...1_000_000)
  }

  func run() throws {
    let saved = try source.run()
    let own = RunOverlay(protocolOf: saved)
    let asked = try options.settings(over: own)
    let settings = settings(asked)
    let file = try EvaluationFile(
      out.map { FilePath($0) } ?? saved.folder.appending("evaluation.json"))
    let images = try saved.images(reference, at: source.data)
    let needsTraining = settings.metrics.contains { $0.needsTraining }
    let training = needsTraining ? try saved.images(.train, at: source.data) : nil
    let features = try FeatureChoice(asked).extractor(for: images.shape)
    let progress = TaskProgress()
    if Launcher.isRoot { printHeader(saved, own) }
    let world = try RankedJob.start().world
    Workers.setCount(source.threads)
    let evaluator = Evaluator(
      settings, reference: images, training: training, features: features, on: world,
      progress: progress.show)
    evaluator.keptFeatures = keepFeatures.map { KeptFeatures(in: FilePath($0)) }
    let codes = try saved.sampler(sampler, data: source.data, on: world, progress: progress)
    let evaluation = try evaluator.evaluate(saved.loaded.model, sampler: codes)
    progress.finish()
    guard let evaluation else { return }
    let report = EvaluationReport(
      evaluation: evaluation, saved: saved, reference: reference, settings: settings,
      features: features.summary(for: images.shape), file: file, svg: svg)
    try failing { try report.write() }
    try requireComplete(evaluation)
  }

  private func settings(_ asked: RunEvaluationSettings) -> EvaluationSettings {
    var settings = asked.settings(seed: seed)
    guard let likelihood else { return settings }
    settings.draws = likelihood
    if !settings.metrics.contains(.likelihood) { settings.metrics.append(.likelihood) }
    return settings
  }

  private func printHeader(_ saved: SavedRun, _ own: RunOverlay) {
    print(
      "\(saved.state.run.model.name) on \(saved.state.run.data.dataset), step \(saved.state.step)")
    print("checkpoint       \(saved.checkpoint)")
    if !own.values.isEmpty {
      print("protocol         the run's, where no flag differs: \(own.words)")
    }
    flushOutput()
  }

  /// - Throws: `CommandFailure` (65) if a metric was asked for by name and left out.
  private func requireComplete(_ evaluation: Evaluation) throws {
    let areNamed = options.metrics != nil
    let first = evaluation.leftOut.first { areNamed || $0.metric == .likelihood }
    guard let first else { return }
    throw CommandFailure.data("\(first.metric.rawValue) cannot be computed: \(first.reason)")
  }
}
