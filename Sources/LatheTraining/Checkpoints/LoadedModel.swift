import LatheFiles
import LatheData
import Foundation
import LatheNN
import LatheModels
import LatheTensors
import SystemPackage

/// A model with its parameters, ready to be trained or asked for images.
public struct LoadedModel {
  public let store: ParameterStore
  public let model: any Model

  /// The model's name.
  public let name: String
  /// The shape of its images.
  public let images: ImageShape
  /// Every hyperparameter, a JSON object.
  public let configuration: JSONValue
  /// A configuration of the model, an older one too, with today's names.
  let present: @Sendable (JSONValue) -> JSONValue

  /// Dimensions of a code, with those of the label behind it.
  public var latentSize: Int {
    let image = Tensor(filledWith: 0, shape: [1, images.height, images.width, images.channels])
    return withoutGradients { model.encode(image).shape[1] + model.labelSize }
  }

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
    (name, self.images, self.configuration) = (Network.name, images, .object(values))
    present = { older in
      guard case .object(let members) = older, let known = try? settings.accepting(members)
      else { return older }
      return .object(known)
    }
    store = ParameterStore(seed: seed)
    model = Network(store.root, images: images, configuration: configuration)
    try store.requireMemory()
    store.layOut()
  }

  /// A registered model, as drawn from `seed`; the configuration has every hyperparameter.
  ///
  /// - Throws: `SettingError` or `DecodingError` when the configuration does not fit the model.
  public init(
    _ entry: ModelRegistry.Entry, images: ImageShape, configuration: JSONValue, seed: UInt64
  ) throws {
    (name, self.images, self.configuration) = (entry.name, images, configuration)
    present = { entry.present($0, images: images) }
    store = ParameterStore(seed: seed)
    model = try entry.make(store.root, images, configuration)
    try store.requireMemory()
    store.layOut()
  }

  /// The model of a run's newest intact checkpoint, for images of the run's shape.
  ///
  /// - Throws: `FileError` (missing) if there is no checkpoint, (mismatch) if `models` has no such
  ///   model; as ``init(_:checkpoint:state:images:)``.
  public init(
    run folder: FilePath, images: ImageShape, models: ModelRegistry = .standard
  ) throws {
    let store = CheckpointStore(reading: folder.appending("checkpoints"))
    guard let found = try store.latest(reading: { try RunState(reading: $0) }) else {
      throw FileError(.missing, "no checkpoint", path: store.folder)
    }
    let name = found.value.run.model.name
    guard let entry = models[name] else {
      throw FileError(
        .mismatch, "model", path: found.path,
        expected: "one of \(models.names.joined(separator: ", "))", found: name)
    }
    try self.init(entry, checkpoint: found.path, state: found.value, images: images)
  }

  /// A model as saved in a checkpoint's folder; reading `state` there has compared the file's
  /// digest. Its parameters are the moving average if the run kept one, unless they are wanted
  /// `raw`.
  ///
  /// - Throws: `FileError`, `DecodingError`.
  public init(
    _ entry: ModelRegistry.Entry, checkpoint folder: FilePath, state: RunState,
    images: ImageShape, raw: Bool = false
  ) throws {
    do {
      try self.init(
        entry, images: images, configuration: entry.checked(state, images),
        seed: state.run.optimization.seed)
    } catch let error as SettingError {
      throw Self.mismatch(folder, "\(error)")
    } catch let error as ConfigurationError {
      throw Self.mismatch(folder, "\(error)")
    }
    try copy(store.savedTensors, from: RunState.modelFile, in: folder, state)
    if !raw, state.keepsAverage {
      try copy(store.parameterTensors, from: RunState.averageFile, in: folder, state)
    }
  }

  private func copy(
    _ tensors: [NamedTensor], from name: String, in folder: FilePath, _ state: RunState
  ) throws {
    let file = try Safetensors(reading: folder.appending(name))
    for tensor in tensors {
      try file.copy(
        tensor.name, expecting: tensor.shape, to: tensor.storage.pointer,
        verifying: state.digests[name] == nil)
    }
  }

  private static func mismatch(_ folder: FilePath, _ reason: String) -> FileError {
    FileError(.mismatch, "configuration: \(reason)", path: folder.appending(RunState.fileName))
  }
}

extension ModelRegistry.Entry {
  /// The hyperparameters that a checkpoint says, if the model can be built with them.
  fileprivate func checked(_ state: RunState, _ images: ImageShape) throws -> JSONValue {
    guard case .object(let members) = state.run.model.configuration else {
      return state.run.model.configuration
    }
    return try resolve(members, images, 0)
  }
}

extension ParameterStore {
  /// - Throws: `ConfigurationError` if the parameters alone are more than this machine's memory.
  public func requireMemory() throws(ConfigurationError) {
    let memory = ProcessInfo.processInfo.physicalMemory
    guard UInt64(byteCount) > memory else { return }
    let (needed, there) = (byteCount >> 30, memory >> 30)
    throw ConfigurationError(
      "networks: expected parameters of at most the \(there) GiB of memory that there are, "
        + "found \(needed) GiB")
  }
}
