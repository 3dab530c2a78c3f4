import Foundation
import LatheData
import LatheDistributed
import LatheMetrics
import LatheReports
import LatheTensors
import LatheTraining

/// What `lathe latent` draws of codes as a whole, and of masks. All ranks encode, rank 0 draws.
struct LatentFigures {
  let command: Latent
  let runs: SavedRuns
  /// The test images of each run.
  let images: [ImageSet]
  let world: Communicator
  let progress = TaskProgress()

  init(command: Latent, runs: SavedRuns, images: [ImageSet], world: Communicator) {
    (self.command, self.runs, self.images, self.world) = (command, runs, images, world)
  }

  // MARK: Covariance and correlation

  /// The covariance or the correlation of each run's codes of all images. Collective.
  func matrices(_ figure: LatentFigure) throws {
    let found = try zip(runs.all, images).map { try statistics(of: $0, $1) }
    let all = zip(runs.names, found).compactMap { name, found in found.map { (name, $0) } }
    guard world.rank == 0 else { return }
    for (name, statistics) in all { say(statistics, name) }
    let shown = all.filter { !$0.1.active.isEmpty }
    guard !shown.isEmpty else { return }
    let maps = shown.map { figure == .covariance ? $0.1.covariance : $0.1.correlation }
    let limit = Chart.limit(of: maps)
    let charts = zip(shown, maps).map { run, values in
      let count = run.1.active.count
      return Chart(
        title: runs.single == nil ? "\(run.0), \(counted(count, "dimension"))" : title(figure),
        xLabel: "latent dimension", yLabel: "latent dimension",
        .heatMap(values: values, columns: count, label: figure.rawValue, limit: limit))
    }
    try write(charts, title(figure), figure.rawValue)
  }

  private func title(_ figure: LatentFigure) -> String {
    runs.title("\(figure.rawValue) of \(images[0].count) codes")
  }

  /// Of the codes of all images, on rank 0. Collective.
  private func statistics(of run: SavedRun, _ images: ImageSet) throws -> LatentStatistics? {
    defer { progress.finish() }
    let model = run.loaded.model
    let values = try SharedWork(world: world, progress: progress.show).gather(
      "codes of test images", images.count
    ) { model.withoutLabels(model.encode(images.tensor($0))).values }
    guard let values else { return nil }
    let codes = Features(values, dimensions: values.count / images.count)
    let active = model.latentMask.map { LatentStatistics.activeCoordinates(of: $0.values) }
    return try failing { LatentStatistics(try FeatureStatistics(of: codes), active: active) }
  }

  private func say(_ statistics: LatentStatistics, _ name: String) {
    print(
      (runs.single == nil ? "\(name): " : "")
        + String(
          format: "%d codes, %d of %d dimensions: NAC %.4g, mean |covariance| %.4g",
          images[0].count,
          statistics.active.count, statistics.dimensions, statistics.meanAbsoluteCorrelation,
          statistics.meanAbsoluteCovariance))
  }

  // MARK: Masks

  /// The phases' term that counts unmasked dimensions, as `metrics.jsonl` has it, of each run.
  func masks() throws {
    guard world.rank == 0 else { return }
    let series = zip(runs.names, runs.all).map { name, run in
      Chart.Series(runs.single == nil ? name : "", points: activeDimensions(of: run))
    }.filter { !$0.points.isEmpty }
    guard !series.isEmpty else { return }
    var chart = Chart(
      title: runs.title("unmasked latent dimensions"), xLabel: "training step",
      yLabel: "dimensions with a mask of at least 0.1", .curves(series))
    chart.yRange = 0...(series.flatMap(\.points).map(\.y).max()! + 1)
    try write([chart], chart.title, "mask")
  }

  private func activeDimensions(of run: SavedRun) -> [Chart.Point] {
    RunLog.records(of: run.folder).compactMap { record in
      guard let value = record.first(where: { $0.key.hasSuffix("/activeDimensions") })?.value,
        let active = value.asDouble, active >= 0, let step = record["step"]?.asDouble
      else { return nil }
      return (step, active)
    }
  }

  // MARK: Files

  /// Writes a chart alone, or several as one picture with a title of its own.
  func write(
    _ charts: [Chart], _ title: String, _ name: String, hasTics: Bool = true
  ) throws {
    let paths = try command.figures.write(
      runs.pictureName("latent"), part: name, isOnly: command.figure != nil, in: runs.pictures
    ) {
      guard charts.count > 1 else { return try charts[0].write(to: $0) }
      try ChartPanels(title: title, charts, hasTics: hasTics).write(to: $0)
    }
    print("\(name.padding(toLength: 17, withPad: " ", startingAt: 0))\(paths)")
  }
}
