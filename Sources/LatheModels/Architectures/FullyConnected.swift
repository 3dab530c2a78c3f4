import LatheNN
import LatheTensors

/// fully connected layers, as in the released code of MaskAAE; for images and vectors of any shape.
///
/// Mondal et al., "MaskAAE: Latent Space Optimization for Adversarial Auto-Encoders", UAI 2020. No
/// batch norm; kernels start Glorot-normal, biases Glorot-uniform, which is what that code's `None`
/// stands for in TensorFlow 1.
public struct FullyConnected: Architecture {
  public var name: String { "mlp" }
  public var summary: String {
    "four fully connected layers, for any shape (MaskAAE)"
  }

  public init() {}

  public func encoder(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize)
    -> any EncoderNetwork
  { Encoder(scope, images: images, outputs: outputs, size: size) }

  public func decoder(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize)
    -> any DecoderNetwork
  { Decoder(scope, images: images, latentSize: latentSize, size: size) }

  /// Images → codes, or what else has `outputs` numbers for each.
  public struct Encoder: EncoderNetwork {
    private let layers: MLP

    /// Shapes: `[N, H, W, C]` → `[N, outputs]`.
    public init(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize) {
      layers = FullyConnected.perceptron(
        scope, inputs: images.count, outputs: outputs, FullyConnected.hidden(size))
    }

    public func callAsFunction(_ images: Tensor, mode: Mode) -> Tensor {
      layers(images.flattened, mode: mode)
    }
  }

  /// Codes → images in [0, 1].
  public struct Decoder: DecoderNetwork {
    private let layers: MLP
    private let images: ImageShape

    /// Shapes: `[N, latentSize]` → `[N, H, W, C]`.
    public init(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize) {
      layers = FullyConnected.perceptron(
        scope, inputs: latentSize, outputs: images.count, FullyConnected.hidden(size))
      self.images = images
    }

    public func callAsFunction(_ codes: Tensor, mode: Mode) -> Tensor {
      sigmoid(layers(codes, mode: mode))
        .reshaped(to: [codes.shape[0], images.height, images.width, images.channels])
    }
  }

  /// Codes → scores, `[N, 1]`: hidden layers with ReLU, linear output.
  public static func critic(_ scope: Scope, latentSize: Int, hidden: [Int]) -> MLP {
    perceptron(scope, inputs: latentSize, outputs: 1, hidden)
  }

  private static func perceptron(_ scope: Scope, inputs: Int, outputs: Int, _ hidden: [Int]) -> MLP
  {
    MLP(
      scope, inputs: inputs, hidden: hidden, outputs: outputs, initializer: .glorotNormal,
      biasInitializer: .glorotUniform)
  }

  private static func hidden(_ size: NetworkSize) -> [Int] {
    Array(repeating: size.orPublished(filters: 1).hiddenSize, count: 4)
  }
}
