import Foundation
import LatheMetrics
import LatheTraining

/// What `lathe fid` computes of one or two sets and prints; rank 0 only.
struct SetComparison {
  let sources: [StatisticsSource]
  let contents: [StatisticsSource.Content]
  let extractors: [(any FeatureExtractor)?]
  let metrics: [EvaluationSettings.Metric]
  let seed: UInt64
  /// Whether the metrics were asked for by name, so that one that is left out is a failure.
  let isNamed: Bool
  let progress: TaskProgress

  /// - Throws: `CommandFailure`: 65 if a metric that was asked for by name is left out, 73.
  func run(saving output: OutputFile?) throws {
    let evaluation = contents.count == 2 ? try compared() : nil
    let statistics = try output.map { _ in try failing { try contents[0].statistics() } }
    progress.finish()
    for (source, content) in zip(sources, contents) {
      print(wrapped("\(source.path): \(content.summary(source.samples))"))
    }
    if let output, let statistics {
      try failing { try statistics.write(to: output.path) }
      print("written          \(output.path)")
    }
    guard let evaluation else { return flushOutput() }
    print(EvaluationTable(evaluation))
    flushOutput()
    guard isNamed, let first = evaluation.leftOut.first else { return }
    throw CommandFailure.data("\(first.metric.rawValue) cannot be computed: \(first.reason)")
  }

  private func compared() throws -> Evaluation {
    guard case .features(let evaluated) = contents[0], case .features(let real) = contents[1] else {
      return try comparedStatistics()
    }
    var evaluation = Evaluation()
    let (used, shape) = (extractors[0]!, sources[0].shape!)
    let comparison = Comparison(
      real: real, name: used.scoreName, seed: seed,
      conditions: "against the \(real.count) of \(sources[1].path); \(used.summary(for: shape))"
    ) { [source = sources[0]] in "\($0) \(source.samples) of \(source.path)" }
    try comparison.add(metrics, of: evaluated, to: &evaluation, progress: progress.show)
    return evaluation
  }

  /// Of statistics the Fréchet distance alone is known.
  private func comparedStatistics() throws -> Evaluation {
    var evaluation = Evaluation()
    let used = zip(sources, extractors).compactMap { source, extractor in
      source.shape.flatMap { shape in extractor.map { ($0, $0.summary(for: shape)) } }
    }.first
    for metric in metrics where metric != .fid {
      evaluation.leaveOut(metric, "it needs images on both sides, and statistics are none")
    }
    guard metrics.contains(.fid) else { return evaluation }
    try evaluation.add(.fid) {
      let value = try frechetDistance(contents[0].statistics(), contents[1].statistics())
      return [
        Score(
          used?.0.scoreName ?? "distance", value, unit: "Fréchet distance, lower is better",
          samples: "statistics of \(sources.map(\.path.string).joined(separator: " and "))"
            + (used.map { "; \($0.1), for the images only" } ?? ""))
      ]
    }
    if let minimum = contents.compactMap(\.count).min(), minimum <= contents[0].dimensions {
      evaluation.warn(
        "\(minimum) images for \(contents[0].dimensions) dimensions: a covariance is singular, "
          + "the distance is biased upwards")
    }
    return evaluation
  }
}
