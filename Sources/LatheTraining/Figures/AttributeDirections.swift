import LatheData
import LatheDistributed
import LatheModels
import LatheTensors

/// Directions in code space along which images gain an attribute.
public struct AttributeDirections {
  /// For each attribute asked for: mean code of the images that have it, less the mean of those
  /// that do not, `[latentSize]`; nil if all images or none have it.
  public let directions: [[Float]?]

  /// Over all images of a set, by the numbers of the attributes; on rank 0 alone, nil elsewhere.
  /// Collective.
  ///
  /// All ranks encode, rank 0 sums in double precision in the order of the images: the same bits on
  /// any number of ranks.
  public init?(
    _ attributes: [Int], of images: ImageSet, labels: ImageAttributes, model: any Model,
    on world: Communicator, progress: @escaping Progress = { _, _, _ in }
  ) throws {
    var sums: [Sums] = attributes.map { _ in Sums() }
    let size = withoutGradients { model.encode(images.tensor(0..<1)).shape[1] }
    var image = 0
    let work = SharedWork(world: world, progress: progress)
    try work.stream("codes of the training images", images.count) {
      model.encode(images.tensor($0)).values
    } take: { values in
      for start in stride(from: 0, to: values.count, by: size) {
        for (number, attribute) in attributes.enumerated() {
          sums[number].add(values[start..<start + size], has: labels[image, attribute])
        }
        image += 1
      }
    }
    guard world.rank == 0 else { return nil }
    directions = sums.map(\.difference)
  }

  private struct Sums {
    private var with: [Double] = []
    private var without: [Double] = []
    private var counts = (with: 0, without: 0)

    mutating func add(_ code: ArraySlice<Float>, has attribute: Bool) {
      if with.isEmpty {
        with = [Double](repeating: 0, count: code.count)
        without = with
      }
      if attribute {
        for (i, value) in code.enumerated() { with[i] += Double(value) }
        counts.with += 1
      } else {
        for (i, value) in code.enumerated() { without[i] += Double(value) }
        counts.without += 1
      }
    }

    var difference: [Float]? {
      guard counts.with > 0, counts.without > 0 else { return nil }
      return zip(with, without).map {
        Float($0 / Double(counts.with) - $1 / Double(counts.without))
      }
    }
  }
}
