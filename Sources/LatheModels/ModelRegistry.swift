import Foundation
import LatheNN

/// Every model by name.
public enum ModelRegistry {
  /// All models, in the order in which they are listed.
  public static let all: [Entry] = [
    Entry(VAE.self),
    Entry(BetaVAE.self),
    Entry(InfoVAE.self),
    Entry(VampPriorVAE.self),
    Entry(VAEIOP.self),
    Entry(FlowVAE.self),
    Entry(FactorVAE.self),
    Entry(WAEMMD.self),
    Entry(WAEGAN.self),
    Entry(AAE.self),
    Entry(MaskAAE.self),
    Entry(FlexAE.self),
    Entry(Autoencoder.self),
    Entry(RAE.self),
    Entry(InjectiveFlow.self),
    Entry(TwoStageVAE.self),
  ]

  /// The model of that name, if there is one.
  public static func entry(named name: String) -> Entry? { all.first { $0.name == name } }

  /// A model type, seen from outside. Configurations cross as JSON objects.
  public struct Entry: Sendable {
    public let name, summary, source: String
    /// The sampler that is used unless another is asked for.
    public let defaultSampler: Sampler.Name
    /// The default configuration for images of a shape and a number of steps, as a JSON object.
    public let configuration: @Sendable (_ images: ImageShape, _ steps: Int) throws -> Data
    /// Why the model cannot be built with a configuration, if it cannot; throws `DecodingError` when it isn't one.
    public let problem: @Sendable (ImageShape, Data) throws -> String?
    /// Creates the model; the configuration has a value for every key.
    public let make: @Sendable (Scope, ImageShape, Data) throws -> any Model

    init<Network: Model>(_ type: Network.Type) {
      name = Network.name
      summary = Network.summary
      source = Network.source
      defaultSampler = Network.defaultSampler
      configuration = { try JSONEncoder().encode(Network.configuration(for: $0, steps: $1)) }
      problem = { images, configuration in
        Network.problem(
          with: try JSONDecoder().decode(Network.Configuration.self, from: configuration),
          images: images)
      }
      make = { scope, images, configuration in
        Network(
          scope, images: images,
          configuration: try JSONDecoder().decode(Network.Configuration.self, from: configuration))
      }
    }
  }
}
