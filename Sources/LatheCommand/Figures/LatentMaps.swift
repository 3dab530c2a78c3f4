import LatheData
import LatheMetrics
import LatheReports
import LatheTensors
import LatheTraining
import Foundation

/// t-SNE of test images and of each run's codes of them. Ranks make maps at the same time, each of
/// them on one rank.
struct LatentMaps {
  let drawing: LatentFigures
  /// Images, the first ones.
  let count: Int

  private var command: Latent { drawing.command }
  private var runs: SavedRuns { drawing.runs }
  private var images: ImageSet { drawing.images[0] }
  private var words: String { images.factors == nil ? "test images" : "test vectors" }

  /// Two charts of one run, unless this is the one figure asked for; else all in one picture.
  /// Collective.
  func draw() throws {
    try requireEnough()
    let colours = try PointColours(command, images, count)
    let sources = [words] + runs.names.map { "codes of \($0)" }
    guard let maps = try maps(of: sources) else { return }
    for (source, map) in zip(sources, maps) {
      print("t-SNE of \(count) \(source): KL \(String(format: "%.4g", map.divergence)) nats")
    }
    if runs.single != nil, command.figure == nil { return try drawApart(maps, colours) }
    let charts = zip(sources, maps).map {
      Chart(title: $0, xLabel: "", yLabel: "", colours.content(of: $1))
    }
    let title = runs.title("t-SNE of \(count) \(words) and of their codes")
    try drawing.write(charts, title, "t-sne", hasTics: false)
  }

  private func drawApart(_ maps: [TSNE.Map], _ colours: PointColours) throws {
    let figures = [("data", words), ("codes", "codes of \(words)")]
    for ((name, what), map) in zip(figures, maps) {
      let title = runs.title("t-SNE of \(count) \(what)")
      let chart = Chart(
        title: title, xLabel: "t-SNE 1", yLabel: "t-SNE 2", colours.content(of: map))
      try drawing.write([chart], title, name)
    }
  }

  private func requireEnough() throws {
    let perplexity = Int(command.perplexity)
    guard count <= perplexity else { return }
    throw CommandFailure.data(
      "perplexity \(perplexity) needs at least \(perplexity + 1) images, there are \(count)"
        + (count > 1 ? "; --perplexity \(max(1, (count - 1) / 3)) would do" : ""))
  }

  // MARK: Maps

  /// The map of each source on rank 0, nil elsewhere. Collective.
  private func maps(of sources: [String]) throws -> [TSNE.Map]? {
    let (rank, size) = (drawing.world.rank, drawing.world.size)
    let own = stride(from: rank, to: sources.count, by: size)
    let values = try own.flatMap { number -> [Float] in
      let map = try map(number, "t-SNE of \(count) \(sources[number])")
      return map.x + map.y + [Float(map.divergence)]
    }
    drawing.progress.finish()
    let parts = try failing { try drawing.world.gather(values: values, at: 0) }
    return parts.map { parts in
      sources.indices.map { number in
        let start = number / size * (2 * count + 1)
        let part = Array(parts[number % size][start..<start + 2 * count + 1])
        var map = TSNE.Map(x: Array(part[..<count]), y: Array(part[count..<2 * count]))
        map.divergence = Double(part[2 * count])
        return map
      }
    }
  }

  /// The map of the images, number 0, or of the codes of the run before that number.
  private func map(_ number: Int, _ task: String) throws -> TSNE.Map {
    var method = TSNE()
    (method.perplexity, method.seed) = (command.perplexity, command.seed)
    drawing.progress.show(task, 0, 0)
    let features = number == 0 ? pixels : codes(of: number - 1)
    return try failing {
      try method(features) { drawing.progress.show(task, $0, method.steps) }
    }
  }

  private var pixels: Features {
    Features(images.tensor(0..<count).values, dimensions: images.shape.count)
  }

  /// Of the run of that number.
  private func codes(of number: Int) -> Features {
    let (model, images) = (runs.all[number].loaded.model, drawing.images[number])
    let values = stride(from: 0, to: count, by: 100).flatMap { first in
      withoutGradients {
        model.withoutLabels(model.encode(images.tensor(first..<min(first + 100, count)))).values
      }
    }
    return Features(values, dimensions: values.count / count)
  }
}

/// The colours of images' points: one for each class, or by a number.
private enum PointColours {
  case classes(names: [String], labels: [Int])
  case values([Double], label: String)

  /// By the attribute or the factor asked for; by class, or where there are none by factor 0.
  ///
  /// - Throws: `CommandFailure` (64) for what the data set does not have.
  init(_ command: Latent, _ images: ImageSet, _ count: Int) throws {
    if let attribute = command.attribute {
      self = try .attribute(attribute, images, count)
    } else if let factor = command.factor ?? (images.factors == nil ? nil : 0) {
      self = try .factor(factor, images, count)
    } else {
      let names = images.classNames.isEmpty ? [""] : images.classNames
      self = .classes(names: names, labels: images.labels[..<count].map(Int.init))
    }
  }

  private static func attribute(
    _ name: String, _ images: ImageSet, _ count: Int
  ) throws -> PointColours {
    guard let attributes = images.attributes, let number = attributes.names.firstIndex(of: name)
    else {
      let known = images.attributes?.names.joined(separator: ", ") ?? "none"
      throw CommandFailure.usage("--attribute: no attribute '\(name)'; there are \(known)")
    }
    return .classes(
      names: ["not \(name)", name], labels: (0..<count).map { attributes[$0, number] ? 1 : 0 })
  }

  private static func factor(
    _ number: Int, _ images: ImageSet, _ count: Int
  ) throws -> PointColours {
    let factors = images.factors ?? []
    let width = factors.count / images.count
    guard number < width else {
      throw CommandFailure.usage(
        "--factor \(number): \(images.name) is generated from \(counted(width, "known number"))")
    }
    return .values(
      (0..<count).map { Double(factors[$0 * width + number]) }, label: "true coordinate \(number)")
  }

  func content(of map: TSNE.Map) -> Chart.Content {
    let points = zip(map.x, map.y).map { (x: Double($0), y: Double($1)) }
    switch self {
    case .values(let values, let label): return .shaded(points, values: values, label: label)
    case .classes(let names, let labels):
      let series = names.enumerated().map { number, name in
        let own = labels.indices.filter { labels[$0] == number }
        return Chart.Series(name, points: own.map { points[$0] })
      }
      return .scatter(series.filter { !$0.points.isEmpty })
    }
  }
}
