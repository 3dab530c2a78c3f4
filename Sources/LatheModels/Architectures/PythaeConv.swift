import LatheFiles
import LatheNN
import LatheTensors

/// those of pythae's benchmark, for images of 28 × 28, 32 × 32 and 64 × 64.
///
/// Chadebec, Vincent and Allassonnière, "Pythae: Unifying Generative Autoencoders in Python",
/// NeurIPS 2022, and its code. Batch norm and initial values follow PyTorch, which that code uses:
/// weights and biases uniform in ±1/√(fan in), where a transposed convolution counts its outputs as
/// fan in.
public struct PythaeConv: Architecture {
  public var name: String { "pythae-conv" }
  public var summary: String {
    "four convolutions and their mirror, for 28, 32 and 64 pixels (pythae)"
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
    private let convolutions: [Convolution]
    private let norms: [BatchNorm]
    private let codes: Linear

    /// Shapes: `[N, H, W, C]` → `[N, outputs]`.
    public init(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize) {
      let filters = size.orPublished(filters: 128).filters
      let widths = [images.channels] + (0..<4).map { filters << $0 }
      convolutions = (0..<4).map {
        let initial = PythaeConv.initial(fanIn: 16 * widths[$0])
        return Convolution(
          scope("conv\($0)"), inputs: widths[$0], outputs: widths[$0 + 1], kernel: 4, stride: 2,
          padding: .explicit(1), initializer: initial, biasInitializer: initial)
      }
      norms = (0..<4).map {
        BatchNorm(scope("norm\($0)"), channels: widths[$0 + 1], convention: .pyTorch)
      }
      codes = PythaeConv.linear(
        scope("codes"), images.height / 16 * (images.width / 16) * widths[4], outputs)
    }

    public func callAsFunction(_ images: Tensor, mode: Mode) -> Tensor {
      let small = zip(convolutions, norms).reduce(images) {
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

    /// Shapes: `[N, latentSize]` → `[N, H, W, C]`.
    public init(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize) {
      let filters = size.orPublished(filters: 128).filters
      guard let (side, stages) = PythaeConv.stages[images.height] else {
        trap("pythae-conv: \(images) images, sides must be 28, 32 or 64")
      }
      start = ImageShape(height: side, width: side, channels: 8 * filters)
      let widths = stages.indices.map { (8 * filters) >> $0 } + [images.channels]
      let all = stages.indices.map {
        PythaeConv.transposed(scope("conv\($0)"), widths[$0], widths[$0 + 1], stages[$0])
      }
      hidden = PythaeConv.linear(scope("hidden"), latentSize, start.count)
      (convolutions, output) = (Array(all.dropLast()), all.last!)
      norms = convolutions.indices.map {
        BatchNorm(scope("norm\($0)"), channels: widths[$0 + 1], convention: .pyTorch)
      }
    }

    public func callAsFunction(_ codes: Tensor, mode: Mode) -> Tensor {
      let flat = hidden(codes, mode: mode)
      let small = flat.reshaped(to: [flat.shape[0], start.height, start.width, start.channels])
      let large = zip(convolutions, norms).reduce(small) {
        $1.1($1.0($0, mode: mode), mode: mode, relu: true)
      }
      return sigmoid(output(large, mode: mode))
    }
  }

  private struct Stage {
    let kernel, stride, padding, outputPadding: Int

    init(_ kernel: Int, _ stride: Int, _ padding: Int, _ outputPadding: Int = 0) {
      (self.kernel, self.stride, self.padding) = (kernel, stride, padding)
      self.outputPadding = outputPadding
    }
  }

  /// For each side of images, the side that the decoder starts from and its transposed
  /// convolutions.
  private static let stages: [Int: (Int, [Stage])] = [
    28: (4, [Stage(3, 2, 1), Stage(3, 2, 1, 1), Stage(3, 2, 1, 1)]),  // 7, 14, 28
    32: (8, [Stage(4, 2, 1), Stage(4, 2, 1, 1), Stage(4, 1, 2)]),  // 16, 33, 32
    64: (8, [Stage(5, 2, 2), Stage(5, 2, 1), Stage(5, 2, 2, 1), Stage(5, 1, 1)]),  // 15, 31, 62, 64
  ]

  public func validate(_ images: ImageShape) throws(ConfigurationError) {
    guard images.height != images.width || PythaeConv.stages[images.height] == nil else { return }
    throw ConfigurationError("expected images of 28 × 28, 32 × 32 or 64 × 64, found \(images)")
  }

  private static func transposed(_ scope: Scope, _ inputs: Int, _ outputs: Int, _ stage: Stage)
    -> TransposedConvolution
  {
    let initial = initial(fanIn: stage.kernel * stage.kernel * outputs)
    return TransposedConvolution(
      scope, inputs: inputs, outputs: outputs, kernel: stage.kernel, stride: stage.stride,
      padding: .explicit(stage.padding), outputPadding: stage.outputPadding, initializer: initial,
      biasInitializer: initial)
  }

  private static func linear(_ scope: Scope, _ inputs: Int, _ outputs: Int) -> Linear {
    let initial = initial(fanIn: inputs)
    return Linear(
      scope, inputs: inputs, outputs: outputs, initializer: initial, biasInitializer: initial)
  }

  private static func initial(fanIn: Int) -> Initializer {
    .uniform(1 / Float(fanIn).squareRoot())
  }
}
