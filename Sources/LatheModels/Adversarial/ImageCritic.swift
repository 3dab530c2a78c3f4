import LatheNN
import LatheTensors

/// Images → scores, `[N, 1]`: the layers of ``FlexAEConv``'s encoder without batch norm.
public struct ImageCritic {
  private let conv0, conv1: Convolution
  private let hidden, output: Linear

  /// Shapes: `[N, H, W, C]` → `[N, 1]`; H and W are multiples of 4.
  public init(_ scope: Scope, images: ImageShape, size: NetworkSize) {
    let size = size.orPublished(filters: 64)
    let quarter = FlexAEConv.quarter(images)
    conv0 = Convolution(
      scope("conv0"), inputs: images.channels, outputs: size.filters, kernel: 4, stride: 2)
    conv1 = Convolution(
      scope("conv1"), inputs: size.filters, outputs: 2 * size.filters, kernel: 4, stride: 2)
    hidden = Linear(
      scope("hidden"), inputs: quarter.height * quarter.width * 2 * size.filters,
      outputs: size.hiddenSize)
    output = Linear(scope("output"), inputs: size.hiddenSize, outputs: 1)
  }

  public func callAsFunction(_ images: Tensor, mode: Mode) -> Tensor {
    let quarter = conv1(conv0(images, mode: mode, relu: true), mode: mode, relu: true)
    return output(hidden(quarter.flattened, mode: mode, relu: true), mode: mode)
  }
}
