import LatheFiles
import LatheData
import Foundation
import LatheNN
import LatheModels
import SystemPackage

/// A model with its parameters, ready to be trained or asked for images.
public struct LoadedModel {
  public let store: ParameterStore
  public let model: any Model

  /// The model's name.
  public let name: String
  /// Every hyperparameter, a JSON object.
  public let configuration: JSONValue

  /// A model of a type, as drawn from `seed`.
  ///
  /// - Throws: `ConfigurationError` if it cannot be built for such images, `SettingError` if a
  ///   hyperparameter is out of bounds.
  public init<Network: Model>(
    _ type: Network.Type, images: ImageShape, configuration: Network.Configuration,
    seed: UInt64 = 0
  ) throws {
    let settings = try SettingList(of: configuration)
    let values = try settings.accepting(settings.values(of: configuration))
    try Network.validate(configuration, images: images)
    (name, self.configuration) = (Network.name, .object(values))
    store = ParameterStore(seed: seed)
    model = Network(store.root, images: images, configuration: configuration)
    store.layOut()
  }

  /// A registered model, as drawn from `seed`; the configuration has every hyperparameter.
  ///
  /// - Throws: `SettingError` or `DecodingError` when the configuration does not fit the model.
  public init(
    _ entry: ModelRegistry.Entry, images: ImageShape, configuration: JSONValue, seed: UInt64
  ) throws {
    (name, self.configuration) = (entry.name, configuration)
    store = ParameterStore(seed: seed)
    model = try entry.make(store.root, images, configuration)
    store.layOut()
  }

  /// A model as saved in a checkpoint's folder.
  ///
  /// - Throws: `FileError`, `DecodingError`.
  public init(
    _ entry: ModelRegistry.Entry, checkpoint folder: FilePath, state: RunState, images: ImageShape
  ) throws {
    try self.init(
      entry, images: images, configuration: state.configuration["model"] ?? .object([:]),
      seed: state.seed)
    try load(from: folder)
  }

  /// Overwrites parameters and buffers with those of a checkpoint's folder.
  func load(from folder: FilePath) throws {
    let file = try Safetensors(reading: folder.appending("model.safetensors"))
    for tensor in store.savedTensors {
      try file.copy(tensor.name, expecting: tensor.shape, to: tensor.storage.pointer)
    }
  }
}
