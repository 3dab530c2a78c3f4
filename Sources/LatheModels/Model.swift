import LatheNN
import LatheTensors

/// An autoencoder and how it is trained: one file per model, in which the paper can be read.
///
/// A model knows nothing of ranks, files or memory. It creates its parameters through a scope whose
/// outermost names are its groups, and describes a training step as blocks of phases.
public protocol Model: SendableMetatype {
  /// Parts of the parameters that phases update separately; raw values are the outermost scopes.
  associatedtype Group: ParameterGroup
  /// Hyperparameters, each with a default.
  associatedtype Configuration: ModelConfiguration

  /// The name on the command line.
  static var name: String { get }
  /// One line for a list of models.
  static var summary: String { get }
  /// The paper.
  static var source: String { get }

  /// The sampler that is used unless another is asked for.
  static var defaultSampler: Sampler.Name { get }
  /// Samplers that can be fitted to codes of training images; the aggregated posterior, two
  /// mixtures and flow matching unless a model says otherwise.
  static var fittedSamplers: [any FittedSampler.Type] { get }

  /// Whether it can be conditional: given labels of images.
  static var takesLabels: Bool { get }

  /// The hyperparameters that suit images of this shape and a run of so many steps.
  static func configuration(for images: ImageShape, steps: Int) -> Configuration

  /// What the bounds of single settings do not say.
  ///
  /// - Throws: ``ConfigurationError`` if the model cannot be built so.
  static func validate(_ configuration: Configuration, images: ImageShape)
    throws(ConfigurationError)

  /// Creates the networks.
  init(_ scope: Scope, images: ImageShape, configuration: Configuration)

  /// One training step: blocks in order, each with its own batch unless it reuses the last.
  var step: [Block<Self>] { get }

  /// Codes of images, in inference: `[N, H, W, C]` in [0, 1] → `[N, latentSize]`.
  func encode(_ images: Tensor) -> Tensor
  /// Codes of images, in inference, drawn from the posterior where a model has one, else the same
  /// as ``encode(_:)``.
  func sampleCodes(of images: Tensor, using random: RandomSource) -> Tensor
  /// Images of codes, in inference: `[N, latentSize]` → `[N, H, W, C]` in [0, 1].
  func decode(_ codes: Tensor) -> Tensor
  /// Ways to draw codes that need nothing but the parameters.
  var samplers: [Sampler] { get }
  /// The labels behind codes; nil for a model that is not conditional.
  var labels: CodeLabels? { get }
  /// How far each latent dimension is open, `[latentSize]` in [0, 1]; nil for models without a
  /// mask.
  var latentMask: Tensor? { get }
  /// 1 for each latent dimension that matters to the decoder about codes of these images, 0 for
  /// others, `[latentSize]`; nil for models whose prior does not tell them apart.
  func relevance(of images: Tensor, using random: RandomSource) -> Tensor?
  /// What the model makes of images, in inference; the decoding of their codes unless a model says
  /// otherwise.
  func reconstruct(_ images: Tensor, using random: RandomSource) -> Tensor
  /// −ELBO in nats, its mean over images, in inference with one draw from each posterior; nil for
  /// models without.
  func negativeELBO(_ images: Tensor, using random: RandomSource) -> Tensor?
  /// What a run of so many steps will not bring about, for a warning at its start.
  func remarks(steps: Int) -> [String]
  /// How log p(x) is estimated; nil for models without a density, or with one whose normalising
  /// constant nobody knows.
  var density: LogDensity? { get }
  /// What training minimises, a scalar, in the batch's mode; nil for models whose phases have no
  /// objective in common.
  func objective(_ batch: Batch) -> Tensor?
}

extension Model where Configuration: AutoencoderConfiguration {
  public static func validate(_ configuration: Configuration, images: ImageShape)
    throws(ConfigurationError)
  {
    try configuration.networks.architecture.validate(images)
  }
}

extension Model {
  public static func validate(_ configuration: Configuration, images: ImageShape)
    throws(ConfigurationError)
  {}

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    Configuration()
  }

  public static var defaultSampler: Sampler.Name { .prior }

  public static var fittedSamplers: [any FittedSampler.Type] {
    [AggregatedPosterior.self, GaussianMixture.self, DirichletMixture.self, FlowMatching.self]
  }

  public static var takesLabels: Bool { false }

  public var labels: CodeLabels? { nil }

  public var latentMask: Tensor? { nil }

  public func relevance(of images: Tensor, using random: RandomSource) -> Tensor? { nil }

  public func remarks(steps: Int) -> [String] { [] }

  /// New images, `[count, H, W, C]`.
  public func sample(_ count: Int, from sampler: Sampler, using random: RandomSource) -> Tensor {
    decode(sampler.draw(count, random))
  }

  public func sampleCodes(of images: Tensor, using random: RandomSource) -> Tensor {
    encode(images)
  }

  public func reconstruct(_ images: Tensor, using random: RandomSource) -> Tensor {
    decode(encode(images))
  }

  public func negativeELBO(_ images: Tensor, using random: RandomSource) -> Tensor? { nil }

  public var density: LogDensity? { nil }

  public func objective(_ batch: Batch) -> Tensor? { nil }
}

/// The groups of a model's parameters.
public protocol ParameterGroup: RawRepresentable, CaseIterable, Hashable, Sendable
where RawValue == String {}
