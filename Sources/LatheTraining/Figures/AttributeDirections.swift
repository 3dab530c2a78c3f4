import LatheData
import LatheModels
import LatheTensors

/// Directions in code space along which images gain an attribute.
public struct AttributeDirections {
  /// For each attribute asked for: mean code of the images that have it, less the mean of those
  /// that do not, `[latentSize]`; nil if all images or none have it.
  public let directions: [[Float]?]

  private static let chunk = 100

  /// Over all images of a set, by the numbers of the attributes. `heartbeat` is called now and then
  /// with images done.
  ///
  /// Means are sums in double precision.
  public init(
    _ attributes: [Int], of images: ImageSet, labels: ImageAttributes, model: any Model,
    heartbeat: (Int) -> Void = { _ in }
  ) {
    var sums: [Sums] = attributes.map { _ in Sums() }
    for first in stride(from: 0, to: images.count, by: Self.chunk) {
      let range = first..<min(first + Self.chunk, images.count)
      let codes = withoutGradients { model.encode(images.tensor(range)).rows }
      for (place, code) in codes.enumerated() {
        for (number, attribute) in attributes.enumerated() {
          sums[number].add(code, has: labels[first + place, attribute])
        }
      }
      heartbeat(range.upperBound)
    }
    directions = sums.map(\.difference)
  }

  private struct Sums {
    private var with: [Double] = []
    private var without: [Double] = []
    private var counts = (with: 0, without: 0)

    mutating func add(_ code: [Float], has attribute: Bool) {
      if with.isEmpty {
        with = [Double](repeating: 0, count: code.count)
        without = with
      }
      if attribute {
        for i in code.indices { with[i] += Double(code[i]) }
        counts.with += 1
      } else {
        for i in code.indices { without[i] += Double(code[i]) }
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
