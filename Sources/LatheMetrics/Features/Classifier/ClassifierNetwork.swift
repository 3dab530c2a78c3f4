import LatheNN
import LatheTensors

/// A small convolutional classifier; the average of its last feature maps is what images are
/// compared by.
///
/// Four 3 × 3 convolutions with batch normalisation and ReLU, the last three at stride 2, a global
/// average and a linear output.
struct ClassifierNetwork {
  /// Feature maps of each convolution.
  static let widths = [32, 64, 128, 96]

  private struct Level {
    let weight: Parameter
    let norm: BatchNorm
    let stride: Int
  }

  private let levels: [Level]
  private let output: Linear

  /// Parameters in the group `classifier`.
  init(_ store: ParameterStore, channels: Int, classes: Int) {
    let scope = store.root("classifier")
    let inputs = [channels] + Self.widths
    levels = Self.widths.indices.map { level in
      Level(
        weight: scope("conv\(level)").parameter(
          "weight", [3, 3, inputs[level], inputs[level + 1]], .glorotUniform),
        norm: BatchNorm(
          scope("norm\(level)"), channels: inputs[level + 1],
          convention: .init(momentum: 0.95, epsilon: 1e-3, isUnbiased: false)),
        stride: level == 0 ? 1 : 2)
    }
    output = Linear(scope("output"), inputs: Self.widths.last!, outputs: classes)
  }

  /// Shapes: `[N, H, W, channels]` in [0, 1] → `[N, 96]`.
  func features(_ images: Tensor, mode: Mode) -> Tensor {
    var x = images - 0.5
    for level in levels {
      let maps = convolution(x, level.weight.value, stride: level.stride)
      x = level.norm(maps, mode: mode, relu: true)
    }
    return x.mean(1, 2)
  }

  /// Scores of the classes before the softmax.
  ///
  /// Shapes: `[N, H, W, channels]` in [0, 1] → `[N, classes]`.
  func callAsFunction(_ images: Tensor, mode: Mode) -> Tensor {
    output(features(images, mode: mode), mode: mode)
  }
}
