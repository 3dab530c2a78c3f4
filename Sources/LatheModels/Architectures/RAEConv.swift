import LatheNN
import LatheTensors

/// four strided convolutions and their mirror, as in the released code of RAE.
///
/// Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020. Kernels are 4 × 4, or
/// 5 × 5 for images of 64 × 64 and more, which get one more transposed convolution; smaller ones
/// are shifted to [−1, 1] first. Batch norm follows Keras, which that code uses.
public struct RAEConv: Architecture {
  public var name: String { "rae-conv" }
  public var summary: String {
    "four strided convolutions and their mirror (RAE)"
  }

  public init() {}

  public func encoder(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize)
    -> any EncoderNetwork
  { Encoder(scope, images: images, outputs: outputs, size: size) }

  public func decoder(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize)
    -> any DecoderNetwork
  { Decoder(scope, images: images, latentSize: latentSize, size: size) }

  public func validate(_ images: ImageShape) throws(ConfigurationError) {
    try requireSides(of: images, multiplesOf: images.height >= 64 ? 8 : 4)
  }

  /// Images → codes, or what else has `outputs` numbers for each.
  public struct Encoder: EncoderNetwork {
    private let convolutions: [Convolution]
    private let norms: [BatchNorm]
    private let codes: Linear
    private let isCentred: Bool

    /// Shapes: `[N, H, W, C]` → `[N, outputs]`.
    public init(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize) {
      let filters = size.orPublished(filters: 128).filters
      isCentred = images.height < 64
      let widths = (0..<4).map { filters << $0 }
      convolutions = widths.indices.map {
        Convolution(
          scope("conv\($0)"), inputs: $0 == 0 ? images.channels : widths[$0 - 1],
          outputs: widths[$0], kernel: RAEConv.kernel(images), stride: 2)
      }
      norms = widths.indices.map {
        BatchNorm(scope("norm\($0)"), channels: widths[$0], convention: .keras)
      }
      codes = Linear(
        scope("codes"),
        inputs: RAEConv.sixteenth(images.height) * RAEConv.sixteenth(images.width) * widths[3],
        outputs: outputs)
    }

    /// `mode` decides whose statistics batch norm uses.
    public func callAsFunction(_ images: Tensor, mode: Mode) -> Tensor {
      let small = zip(convolutions, norms).reduce(isCentred ? 2 * images - 1 : images) {
        $1.1($1.0($0, mode: mode), mode: mode, relu: true)
      }
      return codes(small.flattened, mode: mode)
    }
  }

  /// Codes → images in [0, 1].
  public struct Decoder: DecoderNetwork {
    private let hidden: Linear
    private let convolutions: [TransposedConvolution]
    private let norms: [BatchNorm]
    private let output: TransposedConvolution
    private let start: ImageShape

    /// Shapes: `[N, latentSize]` → `[N, H, W, C]`; H and W are multiples of 4, or 8 from 64 on.
    public init(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize) {
      let filters = size.orPublished(filters: 128).filters
      let doublings = images.height >= 64 ? 3 : 2
      start = ImageShape(
        height: images.height >> doublings, width: images.width >> doublings, channels: 8 * filters)
      let widths = (0...doublings).map { (8 * filters) >> $0 }
      hidden = Linear(scope("hidden"), inputs: latentSize, outputs: start.count)
      convolutions = (0..<doublings).map {
        TransposedConvolution(
          scope("conv\($0)"), inputs: widths[$0], outputs: widths[$0 + 1],
          kernel: RAEConv.kernel(images), stride: 2)
      }
      norms = (0..<doublings).map {
        BatchNorm(scope("norm\($0)"), channels: widths[$0 + 1], convention: .keras)
      }
      output = TransposedConvolution(
        scope("conv\(doublings)"), inputs: widths[doublings], outputs: images.channels,
        kernel: RAEConv.kernel(images))
    }

    /// `mode` decides whose statistics batch norm uses.
    public func callAsFunction(_ codes: Tensor, mode: Mode) -> Tensor {
      let flat = hidden(codes, mode: mode)
      let small = flat.reshaped(to: [flat.shape[0], start.height, start.width, start.channels])
      let large = zip(convolutions, norms).reduce(small) {
        $1.1($1.0($0, mode: mode), mode: mode, relu: true)
      }
      return sigmoid(output(large, mode: mode))
    }
  }

  private static func kernel(_ images: ImageShape) -> Int { images.height >= 64 ? 5 : 4 }

  /// A side after four halvings, each rounded up.
  private static func sixteenth(_ side: Int) -> Int { (side + 15) / 16 }
}
