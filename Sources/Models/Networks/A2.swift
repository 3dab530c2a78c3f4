import Datasets
import Layers
import Tensors

/// Networks A2: four strided convolutions and their mirror, as in the released code of RAE.
///
/// Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020. Kernels are 4 × 4, or 5 × 5 for images of
/// 64 × 64 and more, which get one more transposed convolution. Batch norm follows Keras, which that code uses.
public enum A2 {
  /// Images → codes.
  public struct Encoder {
    private let convolutions: [Convolution]
    private let norms: [BatchNorm]
    private let codes: Linear

    /// Shapes: `[N, H, W, C]` → `[N, latentSize]`; H and W are multiples of 16.
    public init(_ scope: Scope, images: ImageShape, latentSize: Int, filters: Int) {
      let widths = (0..<4).map { filters << $0 }
      convolutions = widths.indices.map {
        Convolution(
          scope("conv\($0)"), inputs: $0 == 0 ? images.channels : widths[$0 - 1],
          outputs: widths[$0], kernel: A2.kernel(images), stride: 2)
      }
      norms = widths.indices.map {
        BatchNorm(scope("norm\($0)"), channels: widths[$0], convention: .keras)
      }
      codes = Linear(
        scope("codes"), inputs: images.height / 16 * (images.width / 16) * widths[3],
        outputs: latentSize)
    }

    /// `mode` decides whose statistics batch norm uses.
    public func callAsFunction(_ images: Tensor, mode: Mode) -> Tensor {
      let small = zip(convolutions, norms).reduce(images) { $1.1($1.0($0), mode: mode, relu: true) }
      return codes(small.flattened)
    }
  }

  /// Codes → images in [0, 1].
  public struct Decoder {
    private let hidden: Linear
    private let convolutions: [TransposedConvolution]
    private let norms: [BatchNorm]
    private let output: TransposedConvolution
    private let start: ImageShape

    /// Shapes: `[N, latentSize]` → `[N, H, W, C]`; H and W are 32 or 64.
    public init(_ scope: Scope, images: ImageShape, latentSize: Int, filters: Int) {
      let doublings = images.height >= 64 ? 3 : 2
      start = ImageShape(
        height: images.height >> doublings, width: images.width >> doublings, channels: 8 * filters)
      let widths = (0...doublings).map { 8 * filters >> $0 }
      hidden = Linear(scope("hidden"), inputs: latentSize, outputs: start.count)
      convolutions = (0..<doublings).map {
        TransposedConvolution(
          scope("conv\($0)"), inputs: widths[$0], outputs: widths[$0 + 1],
          kernel: A2.kernel(images), stride: 2)
      }
      norms = (0..<doublings).map {
        BatchNorm(scope("norm\($0)"), channels: widths[$0 + 1], convention: .keras)
      }
      output = TransposedConvolution(
        scope("conv\(doublings)"), inputs: widths[doublings], outputs: images.channels,
        kernel: A2.kernel(images))
    }

    /// `mode` decides whose statistics batch norm uses.
    public func callAsFunction(_ codes: Tensor, mode: Mode) -> Tensor {
      let flat = hidden(codes)
      let small = flat.reshaped(to: [flat.shape[0], start.height, start.width, start.channels])
      let large = zip(convolutions, norms).reduce(small) { $1.1($1.0($0), mode: mode, relu: true) }
      return sigmoid(output(large))
    }
  }

  private static func kernel(_ images: ImageShape) -> Int { images.height >= 64 ? 5 : 4 }
}
