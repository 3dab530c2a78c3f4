import LatheFiles
import LatheNN

/// The hyperparameters of a model: every field a ``Setting`` with a default.
///
/// Fields keep their names in recipes and checkpoints; groups of fields are shared between models.
public protocol ModelConfiguration: Codable, Sendable {
  init()
}

/// Why a model cannot be built with a configuration or for images.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// - Throws: ``ConfigurationError`` if a side is no multiple of `unit`.
public func requireSides(
  of images: ImageShape, multiplesOf unit: Int
) throws(ConfigurationError) {
  guard images.height % unit != 0 || images.width % unit != 0 else { return }
  throw ConfigurationError("expected images whose sides are multiples of \(unit), found \(images)")
}

/// Encoder and decoder: which networks, how wide, how many latent dimensions.
public struct AutoencoderSettings: SettingGroup {
  @Setting("Networks of encoder and decoder.") public var networks = Networks.flexaeConv
  @Setting("Dimensions of a code.", bounds: .size()) public var latentSize = 32
  @Setting("Channels of the first convolution; 0: as published.", bounds: .size(from: 0))
  public var filters = 0
  @Setting("Width of fully connected layers; 0: as published.", bounds: .size(from: 0))
  public var hiddenSize = 0
  @Setting(
    "Numbers of an image's label, which follow its code; 0: not conditional.",
    bounds: .size(from: 0)) public var labelSize = 0

  public init(_ networks: Networks, latentSize: Int) {
    (self.networks, self.latentSize) = (networks, latentSize)
  }

  /// Numbers that the decoder is given of an image: its code and its label.
  public var decoderInputSize: Int { latentSize + labelSize }

  public var size: NetworkSize { NetworkSize(filters: filters, hiddenSize: hiddenSize) }
}

/// A configuration with networks of encoder and decoder.
public protocol AutoencoderConfiguration: ModelConfiguration {
  var autoencoder: AutoencoderSettings { get set }
}

extension AutoencoderConfiguration {
  public var networks: Networks {
    get { autoencoder.networks }
    set { autoencoder.networks = newValue }
  }
  public var latentSize: Int {
    get { autoencoder.latentSize }
    set { autoencoder.latentSize = newValue }
  }
  public var filters: Int {
    get { autoencoder.filters }
    set { autoencoder.filters = newValue }
  }
  public var hiddenSize: Int {
    get { autoencoder.hiddenSize }
    set { autoencoder.hiddenSize = newValue }
  }
  public var labelSize: Int {
    get { autoencoder.labelSize }
    set { autoencoder.labelSize = newValue }
  }
}

extension AutoencoderConfiguration {
  /// - Throws: ``ConfigurationError`` if the networks do not suit the images, or codes have fewer
  ///   dimensions.
  func validate(_ images: ImageShape, latentSizeFrom minimum: Int) throws(ConfigurationError) {
    try networks.architecture.validate(images)
    guard latentSize < minimum else { return }
    throw ConfigurationError("latentSize: expected at least \(minimum), found \(latentSize)")
  }
}
