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

  /// A model as drawn from `seed`.
  ///
  /// - Throws: `DecodingError` when the configuration does not fit the model.
  public init(_ name: String, images: ImageShape, configuration: JSONValue, seed: UInt64) throws {
    guard let entry = ModelRegistry.standard[name] else {
      trap("LoadedModel: no model \(name)")
    }
    store = ParameterStore(seed: seed)
    model = try entry.make(store.root, images, configuration)
    store.layOut()
  }

  /// A model as saved in a checkpoint's folder.
  ///
  /// - Throws: `FileError`, `DecodingError`.
  public init(checkpoint folder: FilePath, state: RunState, images: ImageShape) throws {
    try self.init(
      state.model, images: images, configuration: state.configuration["model"] ?? .object([:]),
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
