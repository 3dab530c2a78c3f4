import LatheNN
import LatheTensors

/// Images → numbers: `[N, H, W, C]` in [0, 1] → `[N, outputs]`.
public protocol EncoderNetwork {
  /// `mode` decides whose statistics batch norm uses.
  func callAsFunction(_ images: Tensor, mode: Mode) -> Tensor
}

/// Codes → images: `[N, latentSize]` → `[N, H, W, C]` in [0, 1].
public protocol DecoderNetwork {
  /// `mode` decides whose statistics batch norm uses.
  func callAsFunction(_ codes: Tensor, mode: Mode) -> Tensor
}

/// How wide networks are; 0 stands for the published width.
public struct NetworkSize: Sendable {
  /// Channels of the first convolution.
  public var filters = 0
  /// Width of the fully connected layers.
  public var hiddenSize = 0

  public init(filters: Int = 0, hiddenSize: Int = 0) {
    self.filters = filters
    self.hiddenSize = hiddenSize
  }

  /// With published widths in place of zeros.
  func orPublished(filters published: Int, hiddenSize: Int = 1024) -> NetworkSize {
    NetworkSize(
      filters: filters == 0 ? published : filters,
      hiddenSize: self.hiddenSize == 0 ? hiddenSize : self.hiddenSize)
  }
}

/// The networks of the compared papers, under which any model can run.
public enum NetworkFamily: String, Codable, Sendable, CaseIterable {
  /// FlexAE's.
  case a1
  /// RAE's.
  case a2
  /// WAE's.
  case a3
  /// 2-Stage VAE's, after InfoGAN; spectrally normalised encoder.
  case a4
  /// MaskAAE's: fully connected, for any shape.
  case a5
  /// pythae's.
  case a6

  /// A network from images to `outputs` numbers.
  public func encoder(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize)
    -> any EncoderNetwork
  {
    switch self {
    case .a1: A1.Encoder(scope, images: images, outputs: outputs, size: size)
    case .a2: A2.Encoder(scope, images: images, outputs: outputs, size: size)
    case .a3: A3.Encoder(scope, images: images, outputs: outputs, size: size)
    case .a4: A4.Encoder(scope, images: images, outputs: outputs, size: size)
    case .a5: A5.Encoder(scope, images: images, outputs: outputs, size: size)
    case .a6: A6.Encoder(scope, images: images, outputs: outputs, size: size)
    }
  }

  /// A network from codes to images.
  public func decoder(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize)
    -> any DecoderNetwork
  {
    switch self {
    case .a1: A1.Decoder(scope, images: images, latentSize: latentSize, size: size)
    case .a2: A2.Decoder(scope, images: images, latentSize: latentSize, size: size)
    case .a3: A3.Decoder(scope, images: images, latentSize: latentSize, size: size)
    case .a4: A4.Decoder(scope, images: images, latentSize: latentSize, size: size)
    case .a5: A5.Decoder(scope, images: images, latentSize: latentSize, size: size)
    case .a6: A6.Decoder(scope, images: images, latentSize: latentSize, size: size)
    }
  }

  /// Why the networks cannot be built for such images, if they cannot.
  func problem(_ images: ImageShape) -> String? {
    switch self {
    case .a1, .a4: return sideProblem(images, halvings: 2)
    case .a2, .a3: return sideProblem(images, halvings: images.height >= 64 ? 3 : 2)
    case .a5: return nil
    case .a6: return A6.problem(images)
    }
  }
}
