import LatheFiles
import LatheNN
import LatheTensors
import SystemPackage

/// Weights that a run starts from in place of drawn ones: those of a run, or of a file in PyTorch's
/// layouts, as `lathe export --to pytorch` writes it.
public struct InitialWeights {
  /// Where they are: a checkpoint's folder or a file.
  public let place: FilePath
  /// Whether the parameters are a run's moving average.
  public var isAverage: Bool { average != nil }
  private let file: Safetensors
  private let average: Safetensors?
  private let isPyTorch: Bool

  /// Those of a run's newest intact checkpoint, of a checkpoint, or of a file. Where a run kept a
  /// moving average of its parameters, it is that.
  ///
  /// - Throws: `FileError`: missing if nothing is there, damaged.
  public init(_ path: FilePath) throws {
    guard FileSystem.isFolder(path) else {
      (place, file, average) = (path, try Safetensors(reading: path), nil)
      isPyTorch = file.metadata["layout"] != "tensorflow"
      return
    }
    let checkpoint = try Self.checkpoint(in: path)
    let state = try RunState(reading: checkpoint)
    (place, isPyTorch) = (checkpoint, false)
    file = try Safetensors(reading: checkpoint.appending(RunState.modelFile))
    average =
      state.keepsAverage
      ? try Safetensors(reading: checkpoint.appending(RunState.averageFile)) : nil
  }

  private static func checkpoint(in folder: FilePath) throws -> FilePath {
    if FileSystem.exists(folder.appending(RunState.fileName)) { return folder }
    for store in [folder.appending("checkpoints"), folder].map(CheckpointStore.init(reading:)) {
      if let found = try store.latest(reading: { try RunState(reading: $0) }) { return found.path }
    }
    throw FileError(.missing, "no run and no checkpoint", path: folder)
  }

  /// Types other than float32 of tensors in the file, which are converted.
  public var convertedTypes: [String] { file.convertedTypes(of: file.names) }

  /// Compares names and shapes with those of a model, which need not be laid out.
  ///
  /// - Throws: `FileError` (mismatch) that names what is missing, what is no part of the model, and
  ///   what has another shape.
  public func check(_ store: ParameterStore) throws(FileError) {
    let expected = isPyTorch ? store.pyTorchTensors.map { ($0.name, $0.shape) } : store.ownTensors
    let names = Set(expected.map(\.0))
    let there = Set(file.names)
    var other: [String] = []
    for (name, shape) in expected where there.contains(name) {
      let found = try file.shape(of: name)
      if found != shape { other.append("\(name): expected \(shape), found \(found)") }
    }
    let missing = expected.filter { !there.contains($0.0) }.map { "\($0.0) \($0.1)" }
    let extra = file.names.filter { !names.contains($0) && !isLeftOut($0) }
    let parts = [("missing", missing), ("not in the model", extra), ("other shapes", other)]
    guard parts.contains(where: { !$0.1.isEmpty }) else { return }
    let text = parts.filter { !$0.1.isEmpty }.map { "\($0.0): \(Self.listed($0.1))" }
    throw FileError(.mismatch, "weights: " + text.joined(separator: "; "), path: place)
  }

  /// What PyTorch's files have besides the model's tensors.
  private func isLeftOut(_ name: String) -> Bool {
    isPyTorch && (name.hasPrefix("constants.") || name.hasSuffix(".num_batches_tracked"))
  }

  private static func listed(_ all: [String]) -> String {
    let rest = all.count > 5 ? " and \(all.count - 5) more" : ""
    return all.prefix(5).joined(separator: ", ") + rest
  }

  /// Puts the weights in a model's place for them.
  ///
  /// - Throws: `FileError`, also for numbers that are not finite.
  func load(into store: ParameterStore) throws {
    try check(store)
    if isPyTorch {
      try store.setPyTorchValues {
        Tensor(try file.values($0.name), shape: Shape($0.shape))
      }
    } else {
      try copy(store.savedTensors, from: file)
      if let average { try copy(store.parameterTensors, from: average) }
    }
    for tensor in store.savedTensors {
      let values = UnsafeBufferPointer(start: tensor.storage.pointer, count: tensor.storage.count)
      guard let wrong = values.first(where: { !$0.isFinite }) else { continue }
      throw FileError(
        .damaged, path: place, tensor: tensor.name, expected: "finite numbers", found: "\(wrong)")
    }
  }

  private func copy(_ tensors: [NamedTensor], from file: Safetensors) throws(FileError) {
    for tensor in tensors {
      try file.copy(tensor.name, expecting: tensor.shape, to: tensor.storage.pointer)
    }
  }
}

extension ParameterStore {
  /// Names and shapes of what a checkpoint holds.
  fileprivate var ownTensors: [(String, [Int])] {
    parameters.map { ($0.name, $0.shape.sizes) } + buffers.map { ($0.name, $0.shape.sizes) }
  }
}
