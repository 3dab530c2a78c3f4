import Foundation
import LatheData
import LatheNN
import TestSupport
import Testing

/// Padded and cropped images against NumPy's (Golden/pad_crop.py).
@Suite struct AugmentationTests {
  private static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "Golden/pad_crop.safetensors").path
  private let shape = ImageShape(height: 4, width: 5, channels: 3)

  private func loader(_ image: [Float], _ augmentation: Augmentation) -> BatchLoader {
    let set = ImageSet(
      name: "one", split: .train, shape: shape, pixels: image.map { UInt8($0) }, labels: [0],
      classNames: [])
    let order = Order(count: 1, batch: 4, seed: 5, replacement: true)
    return BatchLoader(images: set, order: order, slices: 2, augmentation: augmentation)
  }

  /// Positions 0 ..< 40, in batches of four and slices of two.
  private func images(_ loader: BatchLoader) -> [Float] {
    var all: [Float] = []
    for slice in 0..<20 {
      var values = [Float](repeating: -1, count: loader.valuesPerSlice)
      loader.fill(&values, draw: slice / 2, slice: slice % 2)
      all += values
    }
    return all
  }

  @Test(arguments: Augmentation.PaddingMode.allCases)
  func cropsAreNumPys(_ mode: Augmentation.PaddingMode) throws {
    let golden = try Golden(Self.path)
    let loader = loader(
      try golden.tensor("image").values, Augmentation(padding: 2, paddingMode: mode))
    #expect(try images(loader) == golden.tensor(mode.rawValue).values)
  }

  /// Every other image is what it would be without `flips`, mirrored.
  @Test func mirrorsWhatWasCropped() throws {
    let image = try Golden(Self.path).tensor("image").values
    let plain = images(loader(image, Augmentation(padding: 2)))
    let both = loader(image, Augmentation(flips: true, padding: 2))
    let found = images(both)
    for position in 0..<40 {
      let own = position * shape.count..<(position + 1) * shape.count
      let expected = both.order.isFlipped(at: position) ? mirrored(plain[own]) : Array(plain[own])
      #expect(Array(found[own]) == expected, "position \(position)")
    }
  }

  private func mirrored(_ image: ArraySlice<Float>) -> [Float] {
    let pixels = stride(from: image.startIndex, to: image.endIndex, by: 3).map {
      Array(image[$0..<$0 + 3])
    }
    return (0..<4).flatMap { row in pixels[row * 5..<row * 5 + 5].reversed().flatMap { $0 } }
  }

  /// Each of the 5 × 5 places about as often as the others: χ² of 24 degrees of freedom, 99.9 %.
  @Test func allPlacesAreAsLikely() {
    var pixels = [Float](repeating: 0, count: shape.count)
    pixels[(2 * 5 + 2) * 3] = 255
    let loader = loader(pixels, Augmentation(padding: 2))
    var counts = [Int](repeating: 0, count: 20)
    var values = [Float](repeating: 0, count: loader.valuesPerSlice)
    let draws = 5000
    for draw in 0..<draws {
      loader.fill(&values, draw: draw, slice: 0)
      for place in 0..<20 where values[place * 3] == 1 { counts[place] += 1 }
    }
    // The pixel is at rows 0 to 3 of 4 and columns 0 to 4 of 5: a fifth of the rows is outside.
    let expected = Double(draws) / 25
    let distances = counts.map { (Double($0) - expected) * (Double($0) - expected) / expected }
    #expect(distances.reduce(0, +) < 45)
  }
}
