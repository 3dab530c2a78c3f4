import LatheFiles
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

/// A pair of networks, encoder and decoder, under which any model can run.
///
/// A program brings its own by conforming to this protocol; ``ArchitectureRegistry/register(_:)``
/// makes it known by name to recipes and checkpoints.
public protocol Architecture: Sendable {
  /// What `--networks` calls it.
  var name: String { get }
  /// One line for a list, with the paper.
  var summary: String { get }

  /// A network from images to `outputs` numbers.
  func encoder(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize)
    -> any EncoderNetwork

  /// A network from codes to images.
  func decoder(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize)
    -> any DecoderNetwork

  /// - Throws: ``ConfigurationError`` if the networks cannot be built for such images.
  func validate(_ images: ImageShape) throws(ConfigurationError)

  /// The standard deviation of a Gaussian posterior, from the encoder's second half.
  ///
  /// Shapes: both the same; the result is positive.
  func standardDeviation(_ output: Tensor) -> Tensor
}

extension Architecture {
  public func validate(_ images: ImageShape) throws(ConfigurationError) {}

  /// exp(½ log σ²) with log σ² held within [−6, 2], as in the released code of VampPrior.
  ///
  /// Tomczak and Welling, "VAE with a VampPrior", AISTATS 2018.
  public func standardDeviation(_ output: Tensor) -> Tensor {
    exp(0.5 * output.clamped(to: -6...2))
  }
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
  public func orPublished(filters published: Int, hiddenSize: Int = 1024) -> NetworkSize {
    NetworkSize(
      filters: filters == 0 ? published : filters,
      hiddenSize: self.hiddenSize == 0 ? hiddenSize : self.hiddenSize)
  }
}

/// An architecture as a setting: known by its name in recipes and checkpoints.
public struct Networks: SettingValue, Hashable {
  public let architecture: any Architecture

  public init(_ architecture: any Architecture) { self.architecture = architecture }

  public static let flexaeConv = Networks(FlexAEConv())
  public static let raeConv = Networks(RAEConv())
  public static let dcgan = Networks(DCGAN())
  public static let infogan = Networks(InfoGAN())
  public static let mlp = Networks(FullyConnected())
  public static let pythaeConv = Networks(PythaeConv())

  /// Those that come with lathe.
  public static let standard = ArchitectureRegistry.standard.architectures.map { Networks($0) }

  public var name: String { architecture.name }

  public static func == (a: Networks, b: Networks) -> Bool { a.name == b.name }

  public func hash(into hasher: inout Hasher) { hasher.combine(name) }

  // MARK: As a setting

  public static var expectation: String { "one of \(allowedValues.joined(separator: ", "))" }
  public static var allowedValues: [String] { ArchitectureRegistry.current.names }

  /// The name of an architecture that was given by a former one, such as a1.
  public static func presentWord(for given: JSONValue) -> String? {
    guard let found = ArchitectureRegistry.current[given.text],
      found.name.lowercased() != given.text.lowercased()
    else { return nil }
    return found.name
  }

  public init?(given: JSONValue) {
    guard let found = ArchitectureRegistry.current[given.text] else { return nil }
    architecture = found
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    guard let found = ArchitectureRegistry.current[name] else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected \(Networks.expectation), found \(name)")
    }
    architecture = found
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}
