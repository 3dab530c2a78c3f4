import Foundation
import LatheFiles
import LatheNN

/// Models by name: the package's and a program's own, `ModelRegistry.standard + [MyModel.self]`.
public struct ModelRegistry: Sendable, ExpressibleByArrayLiteral {
  /// The models that come with the package, in the order in which they are listed.
  public static let standard = ModelRegistry([
    VAE.self, BetaVAE.self, InfoVAE.self, VampPriorVAE.self, VAEIOP.self, FlowVAE.self,
    FactorVAE.self, WAEMMD.self, WAEGAN.self, AAE.self, MaskAAE.self, FlexAE.self,
    Autoencoder.self, RAE.self, InjectiveFlow.self, TwoStageVAE.self,
  ])

  private let types: [any Model.Type]
  private let architectures: [AnyArchitecture]

  /// Models of different names.
  public init(_ types: [any Model.Type]) { self.init(types, []) }

  public init(arrayLiteral types: any Model.Type...) { self.init(types) }

  private init(_ types: [any Model.Type], _ architectures: [AnyArchitecture]) {
    let names = types.map { $0.name }
    require(Set(names).count == names.count, "ModelRegistry: one name twice in \(names)")
    (self.types, self.architectures) = (types, architectures)
  }

  /// The models of a registry and others.
  public static func + (registry: Self, types: [any Model.Type]) -> Self {
    ModelRegistry(registry.types + types, registry.architectures)
  }

  /// The same models, whose configurations may name these architectures, too.
  public func adding(architectures: [any Architecture]) -> Self {
    ModelRegistry(types, self.architectures + architectures.map { AnyArchitecture($0) })
  }

  /// All models, in the order in which they are listed.
  public var entries: [Entry] { types.map { Entry($0, architectures) } }

  /// The model of that name, if there is one.
  public subscript(name: String) -> Entry? {
    types.first { $0.name == name }.map { Entry($0, architectures) }
  }

  /// A model type, seen from outside. Configurations cross as JSON objects.
  public struct Entry: Sendable {
    private let type: any Model.Type
    private let architectures: [AnyArchitecture]

    init(_ type: any Model.Type, _ architectures: [AnyArchitecture]) {
      (self.type, self.architectures) = (type, architectures)
    }

    public var name: String { type.name }
    public var summary: String { type.summary }
    public var source: String { type.source }
    /// The sampler that is used unless another is asked for.
    public var defaultSampler: Sampler.Name { type.defaultSampler }
    /// Whether that sampler is fitted to codes after training.
    public func isFitted(_ sampler: Sampler.Name) -> Bool {
      type.fittedSampler(named: sampler) != nil
    }

    /// The default configuration for images of a shape and a number of steps, as a JSON object.
    public func configuration(_ images: ImageShape, _ steps: Int) throws -> Data {
      try type.encodedConfiguration(images, steps)
    }

    /// Why the model cannot be built with a configuration; nil if it can.
    ///
    /// - Throws: `DecodingError` when it is no configuration of the model.
    public func validationError(_ images: ImageShape, _ configuration: Data) throws -> String? {
      try type.validationError(ofEncoded: configuration, images, architectures)
    }

    /// Creates the model; the configuration has a value for every key.
    ///
    /// - Throws: `DecodingError` when it is no configuration of the model.
    public func make(_ scope: Scope, _ images: ImageShape, _ configuration: Data) throws
      -> any Model
    {
      try type.made(scope, images, configuration, architectures)
    }
  }
}

/// What needs the type of the configuration.
extension Model {
  fileprivate static func encodedConfiguration(_ images: ImageShape, _ steps: Int) throws -> Data {
    try JSONEncoder().encode(configuration(for: images, steps: steps))
  }

  fileprivate static func validationError(
    ofEncoded data: Data, _ images: ImageShape, _ architectures: [AnyArchitecture]
  ) throws -> String? {
    validationError(of: try decoded(data, architectures), images: images)
  }

  fileprivate static func made(
    _ scope: Scope, _ images: ImageShape, _ data: Data, _ architectures: [AnyArchitecture]
  ) throws -> any Model {
    Self(scope, images: images, configuration: try decoded(data, architectures))
  }

  private static func decoded(_ data: Data, _ architectures: [AnyArchitecture]) throws
    -> Configuration
  {
    let decoder = JSONDecoder()
    decoder.userInfo[.architectures] = architectures
    return try decoder.decode(Configuration.self, from: data)
  }
}
