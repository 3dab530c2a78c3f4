import Datasets
import Kernels
import Tensors

extension ImageSet {
  /// Images by number, `[n, height, width, channels]` in [0, 1].
  public func tensor(_ numbers: some Collection<Int>) -> Tensor {
    Tensor(shape: [numbers.count, shape.height, shape.width, shape.channels]) { pointer in
      for (place, index) in numbers.enumerated() {
        withImage(index) {
          Kernels.convert(
            $0.baseAddress!, scale: 1 / 255, pointer + place * shape.count, count: $0.count)
        }
      }
    }
  }
}
