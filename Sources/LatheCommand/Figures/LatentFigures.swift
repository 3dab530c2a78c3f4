import Foundation
import LatheData
import LatheMetrics
import LatheReports
import LatheTensors
import LatheTraining

/// The figures of `lathe latent`.
struct LatentFigures {
  let command: Latent
  let saved: SavedRun
  /// The test images.
  let images: ImageSet
  private let progress = TaskProgress()

  init(command: Latent, saved: SavedRun, images: ImageSet) {
    (self.command, self.saved, self.images) = (command, saved, images)
  }

  /// The codes of all images.
  func codes() -> Features {
    defer { progress.finish() }
    var values: [Float] = []
    for first in stride(from: 0, to: images.count, by: 100) {
      progress.show("codes of test images", first, images.count)
      let part = images.tensor(first..<min(first + 100, images.count))
      values += withoutGradients { saved.loaded.model.encode(part).values }
    }
    return Features(values, dimensions: values.count / images.count)
  }

  func covariance(of codes: Features) throws {
    let active = saved.loaded.model.latentMask.map {
      LatentStatistics.activeCoordinates(of: $0.values)
    }
    let statistics = try failing {
      LatentStatistics(try FeatureStatistics(of: codes), active: active)
    }
    let dimensions = statistics.active.count
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
    try write(chart, "covariance")
  }

  /// The phases' term that counts unmasked dimensions, as `metrics.jsonl` has it.
  func maskTrajectory() throws {
    let records = RunLog.records(of: saved.folder)
    let points = records.compactMap { record -> Chart.Point? in
      guard let value = record.first(where: { $0.key.hasSuffix("/activeDimensions") })?.value,
        let active = value.asDouble, active >= 0, let step = record["step"]?.asDouble
      else { return nil }
      return (step, active)
    }
    guard !points.isEmpty else { return }
    var chart = Chart(
      title: saved.title("unmasked latent dimensions"), xLabel: "training step",
      yLabel: "dimensions with a mask of at least 0.1",
      .curves([Chart.Series("", points: points)]))
    chart.yRange = 0...(points.map(\.y).max()! + 1)
    try write(chart, "mask")
  }

  // MARK: t-SNE

  /// t-SNE of the first `count` images and of their codes.
  func maps(of codes: Features, _ count: Int) throws {
    guard count > Int(command.perplexity) else {
      throw CommandFailure.data(
        "perplexity \(Int(command.perplexity)) needs at least \(Int(command.perplexity) + 1) "
          + "images, there are \(count)"
          + (count > 1 ? "; --perplexity \(max(1, (count - 1) / 3)) would do" : ""))
    }
    let classes = try classes(count)
    let pixels = Features(images.tensor(0..<count).values, dimensions: images.shape.count)
    try map(pixels, "data", "test images", classes)
    try map(codes[rows: 0..<count], "codes", "codes of test images", classes)
  }

  private func map(
    _ features: Features, _ name: String, _ what: String, _ classes: Classes
  ) throws {
    var method = TSNE()
    (method.perplexity, method.seed) = (command.perplexity, command.seed)
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
    try write(chart, name)
  }

  private typealias Classes = (names: [String], labels: [Int])

  private func classes(_ count: Int) throws -> Classes {
    guard let attribute = command.attribute else {
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

  private func write(_ chart: Chart, _ name: String) throws {
    let paths = try command.figures.write(
      saved.pictureName("latent"), part: name, in: saved.pictures
    ) {
      try chart.write(to: $0)
    }
    print("\(name.padding(toLength: 17, withPad: " ", startingAt: 0))\(paths)")
  }
}
