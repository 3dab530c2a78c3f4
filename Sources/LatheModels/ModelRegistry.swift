import Foundation
import LatheFiles
import LatheNN

/// Models by name.
///
/// A program adds its own: `ModelRegistry.standard + [MyModel.self]`.
public struct ModelRegistry: Sendable, ExpressibleByArrayLiteral {
  /// In the order in which they are listed.
  public let entries: [Entry]

  public init(_ models: [any Model.Type]) {
    self.init(entries: models.map { Self.entry($0) })
  }

  public init(arrayLiteral models: any Model.Type...) { self.init(models) }

  private init(entries: [Entry]) {
    let names = entries.map(\.name)
    require(Set(names).count == names.count, "ModelRegistry: one name twice in \(names)")
    self.entries = entries
  }

  /// The sixteen models of the comparison, then those that came after.
  public static let standard = ModelRegistry([
    VAE.self, BetaVAE.self, InfoVAE.self, VampPriorVAE.self, VAEIOP.self, FlowVAE.self,
    FactorVAE.self, WAEMMD.self, WAEGAN.self, AAE.self, MaskAAE.self, FlexAE.self,
    Autoencoder.self, RAE.self, InjectiveFlow.self, TwoStageVAE.self,
    ARDVAE.self, GLF.self, CWAE.self, SWAE.self, HypersphericalVAE.self,
    NCPVAE.self, FSQ.self,
  ])

  public static func + (registry: Self, models: [any Model.Type]) -> Self {
    ModelRegistry(entries: registry.entries + ModelRegistry(models).entries)
  }

  public var names: [String] { entries.map(\.name) }

  /// The model of that name, if there is one; capitals do not count.
  public subscript(name: String) -> Entry? {
    entries.first { $0.name.lowercased() == name.lowercased() }
  }

  private static func entry<Network: Model>(_ type: Network.Type) -> Entry { Entry(type) }

  /// A model type, seen from outside: its hyperparameters are a JSON object, one member each.
  public struct Entry: Sendable {
    public let name, summary, source: String
    /// The sampler that is used unless another is asked for.
    public let defaultSampler: Sampler.Name
    /// The samplers that are fitted to codes after training.
    public let fittedSamplers: [Sampler.Name]
    /// Each hyperparameter, with the default for images of a shape and a number of steps.
    public let settings:
      @Sendable (_ images: ImageShape, _ steps: Int) throws -> [SettingDescription]
    /// Every hyperparameter by its present name: what was given, over the defaults.
    ///
    /// Throws ``SettingError`` for a value that is out of bounds, ``ConfigurationError`` where the
    /// model cannot be built so.
    public let resolve:
      @Sendable (_ given: [String: JSONValue], _ images: ImageShape, _ steps: Int) throws ->
        JSONValue
    /// Creates the model of resolved hyperparameters.
    public let make: @Sendable (Scope, ImageShape, JSONValue) throws -> any Model

    /// A complete configuration, one of an older version too, with today's names; as it is if it
    /// is none of this model.
    public func present(_ configuration: JSONValue, images: ImageShape) -> JSONValue {
      guard case .object(let members) = configuration,
        let known = try? resolve(members, images, 0)
      else { return configuration }
      return known
    }

    /// Hyperparameters that were given by former names or in former words, as lines to be shown.
    public func renamings(in given: [String: JSONValue], images: ImageShape) throws -> [String] {
      let settings = try settings(images, 0)
      return given.sorted { $0.key < $1.key }.compactMap { name, value in
        let setting = settings.first { $0.name == name || $0.formerName == name }
        return setting?.renaming(of: (name, value))
      }
    }

    init<Network: Model>(_ type: Network.Type) {
      name = Network.name
      summary = Network.summary
      source = Network.source
      defaultSampler = Network.defaultSampler
      fittedSamplers = Network.fittedSamplers.map { $0.name }
      settings = { try Network.list(for: $0, steps: $1).settings }
      resolve = { given, images, steps in
        let list = try Network.list(for: images, steps: steps)
        let configuration = try list.configuration(with: given)
        try Network.validate(configuration, images: images)
        try Network.requireLabels(configuration)
        return .object(try list.values(of: configuration))
      }
      make = { scope, images, resolved in
        let list = try Network.list(for: images, steps: 0)
        let configuration = try list.configuration(with: resolved.members)
        return Network(scope, images: images, configuration: configuration)
      }
    }
  }
}

extension Model {
  /// - Throws: ``ConfigurationError`` if the model is to be conditional and cannot be.
  fileprivate static func requireLabels(_ configuration: Configuration) throws(ConfigurationError) {
    guard !takesLabels, let settings = configuration as? any AutoencoderConfiguration,
      settings.labelSize > 0
    else { return }
    throw ConfigurationError(
      "labelSize: expected 0, since \(name) is never conditional, found \(settings.labelSize)")
  }

  /// The hyperparameters, with defaults for images of a shape and a number of steps.
  static func list(for images: ImageShape, steps: Int) throws -> SettingList<Configuration> {
    try SettingList(of: configuration(for: images, steps: steps))
  }
}

extension JSONValue {
  /// An object's members; none for another value.
  fileprivate var members: [String: JSONValue] {
    guard case .object(let members) = self else { return [:] }
    return members
  }
}
