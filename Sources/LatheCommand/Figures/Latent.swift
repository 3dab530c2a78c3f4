import ArgumentParser
import LatheData
import Foundation
import LatheKernels
import LatheMetrics
import LatheReports
import LatheTensors
import LatheTraining

struct Latent: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Draws a trained model's code space: t-SNE, covariance, and the mask where there is one.",
    discussion: """
      latent-STEP-data and -codes: t-SNE of test images (all their values) and of their codes, a \
      colour for each class.
      latent-STEP-covariance: the covariance of all test images' codes, without masked dimensions.
      latent-STEP-mask: the number of unmasked dimensions over the steps of training, for models \
      that have a mask.
      """)

  @OptionGroup var source: RunOptions
  @OptionGroup var figures: FigureOptions

  @Option(help: "Test images for t-SNE, the first ones; 0 for no t-SNE (default: 2000).")
  var count: Int?

  @Option(name: .customLong("samples"), help: .hidden)
  var oldCount: Int?

  @Option(help: "Perplexity of t-SNE.")
  var perplexity = 30.0

  @Option(help: "Where points of t-SNE begin.")
  var seed: UInt64 = 0

  @Option(help: "Colour by this attribute, for data sets without classes.")
  var attribute: String?

  private var progress: TaskProgress { Latent.progress }
  private nonisolated(unsafe) static let progress = TaskProgress()

  func validate() throws {
    try check("--count", count ?? oldCount, in: 0...20_000)
    try check("--perplexity", perplexity, in: 1...10_000)
  }

  func run() throws {
    guard Launcher.isRoot else { return }
    Workers.setCount(source.threads)
    let saved = try source.run()
    let samples = renamedOption(oldCount, "--samples", to: "--count") ?? count ?? 2000
    let test = try saved.images(.test, at: source.data)
    let codes = codes(of: test, saved)
    try covariance(of: codes, saved)
    try maskTrajectory(saved)
    guard samples > 0 else { return progress.finish() }
    let count = min(samples, test.count)
    let classes = try classes(of: test, count)
    let pixels = Features(test.tensor(0..<count).values, dimensions: test.shape.count)
    try map(pixels, "data", "test images", classes, saved)
    try map(codes[rows: 0..<count], "codes", "codes of test images", classes, saved)
    progress.finish()
  }

  private func codes(of images: ImageSet, _ saved: SavedRun) -> Features {
    var values: [Float] = []
    for first in stride(from: 0, to: images.count, by: 100) {
      progress.show("codes of test images", first, images.count)
      let part = images.tensor(first..<min(first + 100, images.count))
      values += withoutGradients { saved.loaded.model.encode(part).values }
    }
    return Features(values, dimensions: values.count / images.count)
  }

  private func covariance(of codes: Features, _ saved: SavedRun) throws {
    let active = saved.loaded.model.latentMask.map {
      LatentStatistics.activeCoordinates(of: $0.values)
    }
    let statistics = try failing {
      LatentStatistics(try FeatureStatistics(of: codes), active: active)
    }
    let dimensions = statistics.active.count
    progress.finish()
    print(
      String(
        format: "%d codes, %d of %d dimensions: NAC %.4g, mean |covariance| %.4g",
        codes.count, dimensions, codes.dimensions, statistics.meanAbsoluteCorrelation,
        statistics.meanAbsoluteCovariance))
    guard dimensions > 0 else { return }
    let chart = Chart(
      title: saved.title("covariance of \(codes.count) codes"), xLabel: "latent dimension",
      yLabel: "latent dimension",
      .heatMap(values: statistics.covariance, columns: dimensions, label: "covariance"))
    try write(chart, "covariance", saved)
  }

  /// The phases' term that counts open dimensions, as `metrics.jsonl` has it.
  private func maskTrajectory(_ saved: SavedRun) throws {
    let records = RunLog.records(of: saved.folder)
    let points = records.compactMap { record -> Chart.Point? in
      guard let value = record.first(where: { $0.key.hasSuffix("/activeDimensions") })?.value,
        let active = value.asDouble, let step = record["step"]?.asDouble
      else { return nil }
      return (step, active)
    }
    guard !points.isEmpty else { return }
    var chart = Chart(
      title: saved.title("unmasked latent dimensions"), xLabel: "training step",
      yLabel: "dimensions with a mask of at least 0.1",
      .curves([Chart.Series("", points: points)]))
    chart.yRange = 0...(points.map(\.y).max()! + 1)
    try write(chart, "mask", saved)
  }

  // MARK: t-SNE

  private func map(
    _ features: Features, _ name: String, _ what: String, _ classes: Classes, _ saved: SavedRun
  ) throws {
    var method = TSNE()
    (method.perplexity, method.seed) = (perplexity, seed)
    progress.show("t-SNE of \(features.count) \(what)", 0, 0)
    let map = try failing { try method(features) }
    progress.finish()
    let series = classes.names.enumerated().map { number, name in
      Chart.Series(
        name,
        points: classes.labels.indices.filter { classes.labels[$0] == number }
          .map { (Double(map.x[$0]), Double(map.y[$0])) })
    }
    let chart = Chart(
      title: saved.title("t-SNE of \(features.count) \(what)"), xLabel: "t-SNE 1",
      yLabel: "t-SNE 2", .scatter(series.filter { !$0.points.isEmpty }))
    let divergence = String(format: "%.4g", map.divergence)
    print("t-SNE of \(features.count) \(what): KL \(divergence) nats")
    try write(chart, name, saved)
  }

  private typealias Classes = (names: [String], labels: [Int])

  private func classes(of images: ImageSet, _ count: Int) throws -> Classes {
    guard let attribute else {
      let names = images.classNames.isEmpty ? [""] : images.classNames
      return (names, images.labels[..<count].map(Int.init))
    }
    guard let attributes = images.attributes,
      let number = attributes.names.firstIndex(of: attribute)
    else {
      let known = images.attributes?.names.joined(separator: ", ") ?? "none"
      throw CommandFailure.usage("--attribute: no attribute '\(attribute)'; there are \(known)")
    }
    return (
      ["not \(attribute)", attribute], (0..<count).map { attributes[$0, number] ? 1 : 0 }
    )
  }

  private func write(_ chart: Chart, _ name: String, _ saved: SavedRun) throws {
    let paths = try figures.write("latent-\(saved.state.step)", part: name, in: saved.pictures) {
      try chart.write(to: $0)
    }
    print("\(name.padding(toLength: 17, withPad: " ", startingAt: 0))\(paths)")
  }
}
