import LatheNN
import LatheTensors

/// the DCGAN-like networks of the released code of Wasserstein autoencoders.
///
/// Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR 2018. Kernels are 4 × 4, or 5 × 5 for
/// images of 64 × 64 and more, which get one more transposed convolution and are seen as [−1, 1]
/// with a tanh; smaller ones stay in [0, 1] with a sigmoid. The noise that the code adds to the
/// input in training is the model's to add.
public struct DCGAN: Architecture {
  public var name: String { "dcgan" }
  public var summary: String {
    "four strided convolutions and their mirror, as DCGAN (WAE)"
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
      isCentred = DCGAN.isLarge(images)
      let widths = (0..<4).map { filters << $0 }
      convolutions = widths.indices.map {
        Convolution(
          scope("conv\($0)"), inputs: $0 == 0 ? images.channels : widths[$0 - 1],
          outputs: widths[$0], kernel: DCGAN.kernel(images), stride: 2,
          initializer: .truncatedNormal(standardDeviation: 0.01))
      }
      norms = widths.indices.map { DCGAN.norm(scope("norm\($0)"), widths[$0]) }
      codes = Linear(
        scope("codes"),
        inputs: DCGAN.sixteenth(images.height) * DCGAN.sixteenth(images.width) * widths[3],
        outputs: outputs, initializer: DCGAN.normal)
    }

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
    private let isCentred: Bool

    /// Shapes: `[N, latentSize]` → `[N, H, W, C]`; H and W are multiples of 4, or 8 from 64 on.
    public init(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize) {
      let filters = size.orPublished(filters: 128).filters
      isCentred = DCGAN.isLarge(images)
      let doublings = isCentred ? 3 : 2
      start = ImageShape(
        height: images.height >> doublings, width: images.width >> doublings, channels: 8 * filters)
      let widths = (0...doublings).map { (8 * filters) >> $0 }
      func transposed(_ place: Int, _ outputs: Int, stride: Int) -> TransposedConvolution {
        TransposedConvolution(
          scope("conv\(place)"), inputs: widths[place], outputs: outputs,
          kernel: DCGAN.kernel(images), stride: stride, initializer: DCGAN.normal)
      }
      hidden = Linear(
        scope("hidden"), inputs: latentSize, outputs: start.count, initializer: DCGAN.normal)
      convolutions = (0..<doublings).map { transposed($0, widths[$0 + 1], stride: 2) }
      norms = (0..<doublings).map { DCGAN.norm(scope("norm\($0)"), widths[$0 + 1]) }
      output = transposed(doublings, images.channels, stride: 1)
    }

    public func callAsFunction(_ codes: Tensor, mode: Mode) -> Tensor {
      let flat = hidden(codes, mode: mode, relu: true)
      let small = flat.reshaped(to: [flat.shape[0], start.height, start.width, start.channels])
      let large = zip(convolutions, norms).reduce(small) {
        $1.1($1.0($0, mode: mode), mode: mode, relu: true)
      }
      return isCentred
        ? 0.5 * tanh(output(large, mode: mode)) + 0.5 : sigmoid(output(large, mode: mode))
    }
  }

  private static let normal = Initializer.normal(standardDeviation: 0.01)

  private static func norm(_ scope: Scope, _ channels: Int) -> BatchNorm {
    BatchNorm(
      scope, channels: channels,
      convention: BatchNorm.Convention(momentum: 0.9, epsilon: 1e-5, isUnbiased: false))
  }

  private static func isLarge(_ images: ImageShape) -> Bool { images.height >= 64 }

  private static func kernel(_ images: ImageShape) -> Int { isLarge(images) ? 5 : 4 }

  /// A side after four halvings, each rounded up.
  private static func sixteenth(_ side: Int) -> Int { (side + 15) / 16 }
}
