import LatheData
import Foundation
import LatheReports
import LatheTensors
import LatheTraining

/// Test images moved along attributes, a figure for each attribute. Collective.
struct AttributeSheet {
  let command: Interpolate
  let saved: SavedRun
  let test: ImageSet

  func write() throws {
    guard let labels = test.attributes else {
      throw CommandFailure.usage("--attribute: \(saved.state.run.data.dataset) has no attributes")
    }
    let numbers = try command.attribute.map { try number(of: $0, among: labels.names) }
    let train = try saved.images(.train, at: command.source.data)
    guard let trainLabels = train.attributes, trainLabels.names == labels.names else {
      throw CommandFailure.data("\(train.name): training and test split have other attributes")
    }
    let progress = TaskProgress()
    let found = try AttributeDirections(
      numbers, of: train, labels: trainLabels, model: saved.loaded.model,
      on: try RankedJob.start().world, progress: progress.show)
    progress.finish()
    guard let found else { return }
    var leftOut = LeftOut()
    for (attribute, direction) in zip(numbers, found.directions) {
      let name = labels.names[attribute]
      leftOut.attempt(name) {
        guard let direction else {
          throw CommandFailure.data("all \(train.count) training images have it, or none")
        }
        try write(name, along: direction, try examples(of: attribute, labels))
      }
    }
    try leftOut.finish()
  }

  private func number(of name: String, among names: [String]) throws -> Int {
    if let number = names.firstIndex(of: name) { return number }
    throw CommandFailure.usage(
      "--attribute: no attribute '\(name)'; there are \(names.joined(separator: ", "))")
  }

  /// Test images without the attribute, then as many with it; fewer than asked for if there are no
  /// more.
  private func examples(of attribute: Int, _ labels: ImageAttributes) throws -> (
    images: [Int], half: Int
  ) {
    let half = max(1, (command.rows ?? 4) / 2)
    let candidates = min(command.first, test.count)..<test.count
    let without = candidates.lazy.filter { !labels[$0, attribute] }.prefix(half)
    let with = candidates.lazy.filter { labels[$0, attribute] }.prefix(half)
    let found = min(without.count, with.count)
    guard found > 0 else {
      throw CommandFailure.data(
        "expected test images with and without it from image \(command.first) on, found "
          + "\(with.count) and \(without.count)")
    }
    if found < half, command.rows != nil {
      note("\(labels.names[attribute]): \(found) test images with and without it, not \(half)")
    }
    return (Array(without.prefix(found)) + Array(with.prefix(found)), found)
  }

  /// An image, with what its code moved along a direction decodes to on both sides of it.
  private func row(of image: Int, moved steps: [Float], along direction: [Float]) -> [[Float]] {
    let original = test.tensor([image])
    let code = withoutGradients { saved.loaded.model.encode(original).rows[0] }
    let moved = steps.map { t in zip(code, direction).map { $0 + t * $1 } }
    var row = withoutGradients { saved.loaded.model.decode(Tensor(rows: moved)).rows }
    row[steps.count / 2] = original.values
    return row
  }

  private func write(
    _ name: String, along direction: [Float], _ examples: (images: [Int], half: Int)
  ) throws {
    let frames = command.frames ?? 5
    let steps = (0..<frames).map { (command.reach ?? 2) * (2 * Float($0) / Float(frames - 1) - 1) }
    let cells = examples.images.flatMap { row(of: $0, moved: steps, along: direction) }
    var grid = SampleGrid(columns: frames, title: saved.title(name))
    grid.captions = examples.images.indices.flatMap { row in
      steps.enumerated().map { place, t in
        if place == frames / 2 { return row < examples.half ? "without" : "with" }
        return "t=" + String(format: "%+.1f", t)
      }
    }
    let length = String(format: "%.4g", direction.reduce(0) { $0 + $1 * $1 }.squareRoot())
    let paths = try command.figures.write(
      saved.pictureName("interpolations"), part: name, isOnly: command.attribute.count == 1,
      in: saved.pictures
    ) {
      try grid.write(Tiles(cells, shape: test.shape), to: $0)
    }
    print(
      wrapped(
        "\(name): direction of length \(length), \(examples.half) test images without and "
          + "\(examples.half) with it"))
    print("written          \(paths)")
  }
}
