import Datasets
import Kernels
import Tensors

extension ImageSet {
  /// Images of a range, `[n, height, width, channels]` in [0, 1].
  public func tensor(_ range: Range<Int>) -> Tensor {
    Tensor(shape: [range.count, shape.height, shape.width, shape.channels]) { pointer in
      for (place, index) in range.enumerated() {
        withImage(index) {
          Kernels.convert(
            $0.baseAddress!, scale: 1 / 255, pointer + place * shape.count, count: $0.count)
        }
      }
    }
  }
}
