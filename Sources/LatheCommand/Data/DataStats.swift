import ArgumentParser
import LatheData
import LatheFiles
import Foundation
import SystemPackage
import LatheTraining

struct DataStats: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract:
      "Counts images, labels and attributes; mean and standard deviation of the pixels.",
    usage: "lathe data stats DATASET [options]",
    discussion: """
        lathe data stats fashion-mnist
      """)

  @OptionGroup var options: DataOptions

  @Flag(
    help:
      "Also measure how fast one rank gets shuffled batches of 128 as floats, for 5 seconds.")
  var rate = false

  func run() throws {
    let entry = try options.entry()
    let place = try options.packedPlace(of: entry)
    guard RankedJob.isLeftToRoot() else { return }
    for split in entry.splits {
      if try !isThere(split, place) { continue }
      let images = try failing { try entry.load(split, at: place) }
      print(
        "\(entry.name), \(split.rawValue): \(grouped(images.count)) images of \(images.shape), "
          + "digest \(images.digest)")
      for (channel, moments) in PixelMoments.channels(of: images).enumerated() {
        print(
          String(
            format: "  channel %d: mean %.4f, standard deviation %.4f", channel, moments.mean,
            moments.standardDeviation))
      }
      describeLabels(images)
      describeAttributes(images)
      if rate { describeRate(images) }
      warn(entry.differences(of: images))
    }
  }

  /// Batches as a training run gets them, without the run.
  private func describeRate(_ images: ImageSet) {
    let batch = min(128, images.count)
    let order = Order(count: images.count, batch: batch, seed: 0)
    let loader = BatchLoader(images: images, order: order, slices: 1)
    let prefetcher = Prefetcher(loader, slices: [0], from: 0)
    let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: loader.valuesPerSlice)
    values.initialize(repeating: 0)
    defer { values.deallocate() }
    let start = ContinuousClock.now
    var draws = 0
    while ContinuousClock.now - start < .seconds(5) {
      prefetcher.take(draw: draws, slice: 0, into: values.baseAddress!)
      draws += 1
    }
    let perSecond = Double(draws * batch) / (ContinuousClock.now - start).seconds
    print("  loader: \(grouped(Int(perSecond))) images/s")
  }

  /// A packed file may lack a split.
  private func isThere(_ split: Split, _ place: FilePath?) throws -> Bool {
    guard let place, PackedFile.isPacked(place) else { return true }
    return try failing { try PackedFile(place) }.splits.contains(split)
  }

  private func describeLabels(_ images: ImageSet) {
    guard !images.classNames.isEmpty else { return }
    for (label, count) in images.labelCounts.enumerated() {
      print("  label \(label) \(images.classNames[label].printable): \(grouped(count))")
    }
  }

  private func describeAttributes(_ images: ImageSet) {
    if let identities = images.identities { print("  \(grouped(Set(identities).count)) persons") }
    guard let attributes = images.attributes else { return }
    for (attribute, name) in attributes.names.enumerated() {
      let count = attributes.count(of: attribute)
      let percent = 100 * Double(count) / Double(images.count)
      print("  \(name.printable): \(grouped(count))" + String(format: " (%.1f %%)", percent))
    }
  }
}

extension Dataset {
  /// The place to load from: for pictures, their packed file, made now if need be.
  func packedPlace(
    _ place: FilePath?, cache: FilePath, skipsCorrupt: Bool = false, requiring splits: [Split] = []
  ) throws -> FilePath? {
    if !isPacked { return place }
    if let place, PackedFile.isPacked(place) { return place }
    var job = PackJob(entry: self, place: place, cache: cache)
    job.skipsCorrupt = skipsCorrupt
    job.required = splits
    return try job.runOnAllRanks()
  }
}

/// Mean and standard deviation of one channel, pixels in [0, 1].
private struct PixelMoments {
  let mean, standardDeviation: Double

  static func channels(of images: ImageSet) -> [PixelMoments] {
    let channels = images.shape.channels
    let (sums, squares) = images.hasLevels ? levelSums(of: images) : valueSums(of: images)
    let count = Double(images.count * images.shape.count / channels)
    return (0..<channels).map { channel in
      let mean = sums[channel] / count
      let variance = squares[channel] / count - mean * mean
      return PixelMoments(mean: mean, standardDeviation: max(variance, 0).squareRoot())
    }
  }

  /// Levels are whole numbers, so sums in 64 bits are exact.
  private static func levelSums(of images: ImageSet) -> ([Double], [Double]) {
    let channels = images.shape.channels
    var sums = [Int](repeating: 0, count: channels)
    var squares = sums
    for index in 0..<images.count {
      images.withImage(index) { image in
        for place in 0..<image.count {
          let level = Int(image[place])
          sums[place % channels] += level
          squares[place % channels] += level * level
        }
      }
    }
    return (sums.map { Double($0) / 255 }, squares.map { Double($0) / (255 * 255) })
  }

  private static func valueSums(of images: ImageSet) -> ([Double], [Double]) {
    let channels = images.shape.channels
    var sums = [Double](repeating: 0, count: channels)
    var squares = sums
    for index in 0..<images.count {
      for (place, value) in images.values(of: index).enumerated() {
        sums[place % channels] += Double(value)
        squares[place % channels] += Double(value) * Double(value)
      }
    }
    return (sums, squares)
  }
}
