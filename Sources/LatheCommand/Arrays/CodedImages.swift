import LatheData
import LatheKernels
import LatheModels
import LatheTensors

/// Images of a run by number, with their codes.
struct CodedImages {
  let model: any Model
  let images: ImageSet
  /// The numbers of the images that are asked for.
  let numbers: Range<Int>
  /// The seed of draws from the posterior; nil for its mean.
  let seed: UInt64?

  /// - Throws: `CommandFailure` (64) if there are not so many images from `first` on.
  init(
    _ saved: SavedRun, _ images: ImageSet, first: Int, count: Int?, seed: UInt64?
  ) throws {
    guard first < images.count, count ?? 0 <= images.count - first else {
      throw CommandFailure.usage(
        "\(count.map { "\($0) images" } ?? "images") from image \(first) on of the "
          + "\(images.split.rawValue) split, which has \(images.count)")
    }
    model = saved.loaded.model
    (self.images, self.seed) = (images, seed)
    numbers = first..<first + (count ?? images.count - first)
  }

  /// Codes of some of the images, `[n, latentSize]`; places count from the first one.
  ///
  /// A code depends on its image's number alone: draws are those of one image.
  func codes(_ places: Range<Int>) -> Tensor {
    let range = numbers.lowerBound + places.lowerBound..<numbers.lowerBound + places.upperBound
    guard let seed else { return model.encode(images.tensor(range)) }
    let random = RandomSource(seed: seed).derived("codes")
    let each = range.map {
      model.sampleCodes(of: images.tensor($0..<$0 + 1), using: random.derived($0))
    }
    return concatenated(each, axis: 0)
  }
}
