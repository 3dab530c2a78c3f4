import LatheFiles
import LatheNN
import LatheTensors

/// convolutions and fully connected layers, as in the released code of FlexAE.
///
/// Mondal et al., "FlexAE: Flexibly Learning Latent Priors for Wasserstein Auto-Encoders", UAI
/// 2021. Batch norm and initial values follow TensorFlow 1's layers, which that code uses.
public struct FlexAEConv: Architecture {
  public var name: String { "flexae-conv" }
  public var summary: String {
    "two convolutions and a fully connected layer, and their mirror (FlexAE)"
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

  /// Images → codes, or what else has `outputs` numbers for each.
  public struct Encoder: EncoderNetwork {
    private let conv0, conv1: Convolution
    private let norm0, norm1: BatchNorm
    private let hidden, codes: Linear

    /// Shapes: `[N, H, W, C]` → `[N, outputs]`; H and W are multiples of 4.
    public init(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize) {
      let size = size.orPublished(filters: 64)
      let (filters, hiddenSize) = (size.filters, size.hiddenSize)
      let quarter = FlexAEConv.quarter(images)
      conv0 = Convolution(
        scope("conv0"), inputs: images.channels, outputs: filters, kernel: 4, stride: 2)
      conv1 = Convolution(
        scope("conv1"), inputs: filters, outputs: 2 * filters, kernel: 4, stride: 2)
      norm0 = BatchNorm(scope("norm0"), channels: 2 * filters, convention: .tensorFlow)
      hidden = Linear(
        scope("hidden"), inputs: quarter.height * quarter.width * 2 * filters, outputs: hiddenSize)
      norm1 = BatchNorm(scope("norm1"), channels: hiddenSize, convention: .tensorFlow)
      codes = Linear(scope("codes"), inputs: hiddenSize, outputs: outputs)
    }

    public func callAsFunction(_ images: Tensor, mode: Mode) -> Tensor {
      let half = conv0(images, mode: mode, relu: true)
      let quarter = norm0(conv1(half, mode: mode), mode: mode, relu: true)
      return codes(
        norm1(hidden(quarter.flattened, mode: mode), mode: mode, relu: true), mode: mode)
    }
  }

  /// Codes → images in [0, 1].
  public struct Decoder: DecoderNetwork {
    private let hidden0, hidden1: Linear
    private let conv0, conv1: TransposedConvolution
    private let conv2: Convolution
    private let norm0, norm1, norm2, norm3: BatchNorm
    private let quarter: ImageShape

    /// Shapes: `[N, latentSize]` → `[N, H, W, C]`; H and W are multiples of 4.
    public init(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize) {
      let size = size.orPublished(filters: 64)
      let (filters, hiddenSize) = (size.filters, size.hiddenSize)
      quarter = ImageShape(
        height: FlexAEConv.quarter(images).height, width: FlexAEConv.quarter(images).width,
        channels: 2 * filters)
      func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> Linear {
        Linear(
          scope(name), inputs: inputs, outputs: outputs, initializer: .glorotNormal,
          biasInitializer: .glorotUniform)
      }
      func transposed(_ name: String, _ outputs: Int) -> TransposedConvolution {
        TransposedConvolution(
          scope(name), inputs: 2 * filters, outputs: outputs, kernel: 4, stride: 2,
          initializer: .glorotNormal, biasInitializer: .glorotUniform)
      }
      func norm(_ name: String, _ channels: Int) -> BatchNorm {
        BatchNorm(scope(name), channels: channels, convention: .tensorFlow)
      }
      hidden0 = linear("hidden0", latentSize, hiddenSize)
      norm0 = norm("norm0", hiddenSize)
      hidden1 = linear("hidden1", hiddenSize, quarter.count)
      norm1 = norm("norm1", quarter.count)
      conv0 = transposed("conv0", 2 * filters)
      norm2 = norm("norm2", 2 * filters)
      conv1 = transposed("conv1", filters)
      norm3 = norm("norm3", filters)
      conv2 = Convolution(
        scope("conv2"), inputs: filters, outputs: images.channels, kernel: 3,
        initializer: .glorotNormal)
    }

    public func callAsFunction(_ codes: Tensor, mode: Mode) -> Tensor {
      let wide = norm0(hidden0(codes, mode: mode), mode: mode, relu: true)
      let flat = norm1(hidden1(wide, mode: mode), mode: mode, relu: true)
      let small = flat.reshaped(to: [
        flat.shape[0], quarter.height, quarter.width, quarter.channels,
      ])
      let half = norm2(conv0(small, mode: mode), mode: mode, relu: true)
      let full = norm3(conv1(half, mode: mode), mode: mode, relu: true)
      return sigmoid(conv2(full, mode: mode))
    }
  }

  static func quarter(_ images: ImageShape) -> (height: Int, width: Int) {
    require(
      images.height % 4 == 0 && images.width % 4 == 0,
      "flexae-conv: \(images.height) × \(images.width) images, sides must be multiples of 4")
    return (images.height / 4, images.width / 4)
  }
}
