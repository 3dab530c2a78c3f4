import LatheFiles
import LatheNN
import LatheTensors

/// the InfoGAN-like networks of the 2-Stage VAE's released code.
///
/// Dai and Wipf, "Diagnosing and Enhancing VAE Models", ICLR 2019.
public struct InfoGAN: Architecture {
  public var name: String { "infogan" }
  public var summary: String {
    "as InfoGAN, with a spectrally normalized encoder (2-Stage VAE)"
  }

  public init() {}

  public func encoder(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize)
    -> any EncoderNetwork
  { Encoder(scope, images: images, outputs: outputs, size: size) }

  public func decoder(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize)
    -> any DecoderNetwork
  { Decoder(scope, images: images, latentSize: latentSize, size: size) }

  public func validate(_ images: ImageShape) throws(ConfigurationError) {
    try requireSides(of: images, multiplesOf: 4)
  }

  /// 10⁻⁶ + softplus, as in the released code of 2-Stage VAE.
  public func standardDeviation(_ output: Tensor) -> Tensor { softplus(output) + 1e-6 }

  /// Images → `outputs` numbers, mean and standard deviation of a posterior say; every layer is
  /// spectrally normalised.
  public struct Encoder: EncoderNetwork {
    private let conv0, conv1: Convolution
    private let norm1, norm2: BatchNorm
    private let hidden, codes: Linear

    /// Shapes: `[N, H, W, C]` → `[N, outputs]`; H and W are multiples of 4.
    public init(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize) {
      let size = size.orPublished(filters: 64)
      let (filters, hiddenSize) = (size.filters, size.hiddenSize)
      func conv(_ name: String, _ inputs: Int, _ outputs: Int) -> Convolution {
        Convolution(
          scope(name), inputs: inputs, outputs: outputs, kernel: 4, stride: 2,
          initializer: .truncatedNormal(standardDeviation: 0.02), spectrallyNormalized: true)
      }
      func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> Linear {
        Linear(
          scope(name), inputs: inputs, outputs: outputs,
          initializer: .normal(standardDeviation: 0.02),
          spectrallyNormalized: true)
      }
      conv0 = conv("conv0", images.channels, filters)
      conv1 = conv("conv1", filters, 2 * filters)
      norm1 = InfoGAN.norm(scope("norm1"), 2 * filters)
      hidden = linear("hidden", InfoGAN.quarterCount(images) * 2 * filters, hiddenSize)
      norm2 = InfoGAN.norm(scope("norm2"), hiddenSize)
      codes = linear("codes", hiddenSize, outputs)
    }

    public func callAsFunction(_ images: Tensor, mode: Mode) -> Tensor {
      let half = leakyRelu(conv0(images, mode: mode), slope: 0.2)
      let quarter = leakyRelu(norm1(conv1(half, mode: mode), mode: mode), slope: 0.2)
      let wide = leakyRelu(norm2(hidden(quarter.flattened, mode: mode), mode: mode), slope: 0.2)
      return codes(wide, mode: mode)
    }
  }

  /// Codes → images in [0, 1].
  public struct Decoder: DecoderNetwork {
    private let hidden0, hidden1: Linear
    private let conv0, conv1: TransposedConvolution
    private let norm0, norm1, norm2: BatchNorm
    private let quarter: ImageShape

    /// Shapes: `[N, latentSize]` → `[N, H, W, C]`; H and W are multiples of 4.
    public init(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize) {
      let size = size.orPublished(filters: 64)
      let (filters, hiddenSize) = (size.filters, size.hiddenSize)
      quarter = ImageShape(
        height: images.height / 4, width: images.width / 4, channels: 2 * filters)
      let normal = Initializer.normal(standardDeviation: 0.02)
      hidden0 = Linear(
        scope("hidden0"), inputs: latentSize, outputs: hiddenSize, initializer: normal)
      norm0 = InfoGAN.norm(scope("norm0"), hiddenSize)
      hidden1 = Linear(
        scope("hidden1"), inputs: hiddenSize, outputs: quarter.count, initializer: normal)
      norm1 = InfoGAN.norm(scope("norm1"), quarter.count)
      conv0 = TransposedConvolution(
        scope("conv0"), inputs: 2 * filters, outputs: filters, kernel: 4, stride: 2,
        initializer: normal)
      norm2 = InfoGAN.norm(scope("norm2"), filters)
      conv1 = TransposedConvolution(
        scope("conv1"), inputs: filters, outputs: images.channels, kernel: 4, stride: 2,
        initializer: normal)
    }

    public func callAsFunction(_ codes: Tensor, mode: Mode) -> Tensor {
      let wide = norm0(hidden0(codes, mode: mode), mode: mode, relu: true)
      let flat = norm1(hidden1(wide, mode: mode), mode: mode, relu: true)
      let small = flat.reshaped(to: [
        flat.shape[0], quarter.height, quarter.width, quarter.channels,
      ])
      return sigmoid(conv1(norm2(conv0(small, mode: mode), mode: mode, relu: true), mode: mode))
    }
  }

  private static func norm(_ scope: Scope, _ channels: Int) -> BatchNorm {
    BatchNorm(
      scope, channels: channels,
      convention: BatchNorm.Convention(momentum: 0.999, epsilon: 1e-5, isUnbiased: false))
  }

  private static func quarterCount(_ images: ImageShape) -> Int {
    require(
      images.height % 4 == 0 && images.width % 4 == 0,
      "infogan: \(images.height) × \(images.width) images, sides must be multiples of 4")
    return images.height / 4 * (images.width / 4)
  }
}
