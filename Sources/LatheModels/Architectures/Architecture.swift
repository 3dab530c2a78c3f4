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

/// An encoder and a decoder that suit each other, under which any model can run.
///
/// A program adds its own: by value, `AnyArchitecture(MyNetworks())` in a configuration, and by name
/// with ``ModelRegistry/adding(architectures:)``.
public protocol Architecture: Sendable {
  /// The name on the command line and in configurations.
  var name: String { get }
  /// The paper or the program that it comes from.
  var source: String { get }

  /// Why the networks cannot be built for such images, as in "expected …, found …"; nil if they can.
  func validationError(for images: ImageShape) -> String?

  /// A network from images to `outputs` numbers each.
  func encoder(
    _ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize
  ) -> any EncoderNetwork

  /// A network from codes to images.
  func decoder(
    _ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize
  ) -> any DecoderNetwork

  /// The standard deviation of a Gaussian posterior, positive, made of an output of the encoder.
  ///
  /// Shapes: any → the same.
  func standardDeviation(of output: Tensor) -> Tensor
}

extension Architecture {
  public func validationError(for images: ImageShape) -> String? { nil }

  /// exp(½ log σ²), with log σ² = `output` held within [−6, 2], as in the released code of VampPrior
  /// (Tomczak and Welling, AISTATS 2018).
  public func standardDeviation(of output: Tensor) -> Tensor {
    exp(0.5 * output.clamped(to: -6...2))
  }
}

/// An architecture in a configuration, where its name stands for it.
public struct AnyArchitecture: Architecture, Hashable {
  private let base: any Architecture

  public init(_ base: any Architecture) { self.base = base }

  public var name: String { base.name }
  public var source: String { base.source }

  public func validationError(for images: ImageShape) -> String? {
    base.validationError(for: images)
  }

  public func encoder(
    _ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize
  ) -> any EncoderNetwork {
    base.encoder(scope, images: images, outputs: outputs, size: size)
  }

  public func decoder(
    _ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize
  ) -> any DecoderNetwork {
    base.decoder(scope, images: images, latentSize: latentSize, size: size)
  }

  public func standardDeviation(of output: Tensor) -> Tensor { base.standardDeviation(of: output) }

  public static func == (a: Self, b: Self) -> Bool { a.name == b.name }

  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension AnyArchitecture {
  public static let flexaeConv = AnyArchitecture(FlexAEConv())
  public static let raeConv = AnyArchitecture(RAEConv())
  public static let dcgan = AnyArchitecture(DCGAN())
  public static let infogan = AnyArchitecture(InfoGAN())
  public static let mlp = AnyArchitecture(FullyConnected())
  public static let pythaeConv = AnyArchitecture(PythaeConv())

  /// The architectures that come with the package.
  public static let standard = [flexaeConv, raeConv, dcgan, infogan, mlp, pythaeConv]

  /// The present name of an architecture that was called A1 to A6 before; nil for other names.
  public static func currentName(of former: String) -> String? {
    let place = ["a1", "a2", "a3", "a4", "a5", "a6"].firstIndex(of: former.lowercased())
    return place.map { standard[$0].name }
  }
}

extension CodingUserInfoKey {
  /// Architectures of the program's own, `[AnyArchitecture]`, that a decoder finds by name.
  static let architectures = CodingUserInfoKey(rawValue: "lathe.architectures")!
}

extension AnyArchitecture: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let given = try container.decode(String.self)
    let name = AnyArchitecture.currentName(of: given) ?? given
    let own = decoder.userInfo[.architectures] as? [AnyArchitecture] ?? []
    let all = AnyArchitecture.standard + own
    guard let found = all.first(where: { $0.name == name }) else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription:
          "expected one of \(all.map(\.name).joined(separator: ", ")), found \(given)")
    }
    self = found
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}
