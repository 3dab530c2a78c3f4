import Foundation
import LatheFiles
import LatheModels
import LatheNN
import LatheTensors
import LatheTraining
import SystemPackage
import TestSupport
import Testing

/// Runs of strangers: whatever their files say, a value or an error.
@Suite struct HostileRunTests {
  let scratch: Scratch
  var folder: FilePath { scratch.path }
  let images = ImageShape(height: 8, width: 8, channels: 1)

  init() throws { scratch = try Scratch() }

  private func state(of entry: ModelRegistry.Entry) throws -> RunState {
    var run = RunConfiguration()
    (run.model.name, run.data.dataset) = (entry.name, "synthetic")
    run.model.configuration = try entry.resolve(["latentSize": .int(3)], images, 10)
    return RunState(step: 5, run: run, writtenBy: "lathe")
  }

  /// The state's text with a CRC-32 that fits.
  private func sealed(_ text: String) -> [UInt8] {
    let pattern = #""crc32" : "[0-9a-f]{8}""#
    func with(_ digits: String) -> String {
      text.replacingOccurrences(
        of: pattern, with: "\"crc32\" : \"\(digits)\"", options: .regularExpression)
    }
    return Array(with(Checksum(of: Array(with("00000000").utf8)).hexadecimal).utf8)
  }

  /// Mutated states, sealed again: read and looked at as commands do, or refused.
  @Test func mutatedStatesAreReadOrRefused() throws {
    let path = folder.appending(RunState.fileName)
    var random = Mutations(seed: 1)
    var accepted = 0
    for entry in ModelRegistry.standard.entries {
      try state(of: entry).write(into: folder, digesting: [])
      let original = try bytes(of: path)
      for _ in 0..<Mutations.trials / 16 {
        let text = String(decoding: random.mutated(original), as: UTF8.self)
        try write(sealed(text), to: path)
        do {
          try look(at: RunState(reading: folder))
          accepted += 1
        } catch is FileError {} catch is SettingError {} catch is ConfigurationError {}
      }
    }
    #expect(accepted >= Mutations.trials / 100, "hardly any mutation passes the JSON reader")
  }

  private func look(at state: RunState) throws {
    guard let entry = ModelRegistry.standard[state.run.model.name] else { return }
    let present = entry.present(state.run.model.configuration, images: images)
    guard case .object(let members) = present else { return }
    let store = ParameterStore(seed: state.run.optimization.seed)
    let hyperparameters = try entry.resolve(members, images, state.run.optimization.steps)
    _ = try entry.make(store.root, images, hyperparameters)
    try store.requireMemory()
    _ = try RunConfiguration.list.values(of: state.run)
  }

  @Test(arguments: ["../secret", "/etc/passwd", ".hidden", "a/b", ""])
  func digestsAreOfFilesOfTheCheckpoint(name: String) throws {
    let inner = folder.appending("inner")
    try FileSystem.makeFolders(inner)
    try write([1, 2, 3], to: folder.appending("secret"))
    try state(of: ModelRegistry.standard.entries[0]).write(into: inner, digesting: [])
    let path = inner.appending(RunState.fileName)
    let text = String(decoding: try bytes(of: path), as: UTF8.self).replacingOccurrences(
      of: #""digests" : \{[^}]*\}"#, with: "\"digests\" : {\"\(name)\" : \"00000000\"}",
      options: .regularExpression)
    try write(sealed(text), to: path)
    let error = fileError { _ = try RunState(reading: inner) }
    #expect(error?.kind == .damaged && error?.path == path && error?.found == name)
  }

  // MARK: Samplers

  private func loaded() throws -> LoadedModel {
    let entry = ModelRegistry.standard["rae"]!
    return try LoadedModel(
      entry, images: images,
      configuration: entry.resolve(
        ["latentSize": .int(2), "networks": .string("mlp"), "hiddenSize": .int(4)], images, 10),
      seed: 0)
  }

  private static let samplers: [(String, [NamedTensor])] = [
    (
      "sampler-aggregated-posterior.safetensors",
      [NamedTensor(name: "codes", shape: [3, 2], values: [1, 2, 3, 4, 5, 6])]
    ),
    (
      "sampler-gmm.safetensors",
      [
        NamedTensor(name: "weights", shape: [2], values: [0.5, 0.5]),
        NamedTensor(name: "means", shape: [2, 2], values: [1, 2, 3, 4]),
        NamedTensor(name: "factors", shape: [2, 2, 2], values: [1, 0, 0, 1, 1, 0, 0, 1]),
      ]
    ),
  ]

  private func draw(_ file: String, _ model: LoadedModel) throws -> Shape? {
    let name = Sampler.Name(String(file.dropFirst(8).dropLast(12)))
    return try name.saved(in: folder, for: model)?.sampler.draw(3, RandomSource(seed: 1)).shape
  }

  @Test(
    arguments: [
      ("gmm", ["weights": [0], "means": [0, 2], "factors": [0, 2, 2]]),
      ("gmm", ["weights": [2], "means": [2, 3], "factors": [2, 3, 3]]),
      ("gmm", ["weights": [2], "means": [4], "factors": [2, 2, 2]]),
      ("gmm", ["weights": [2], "means": [2, 2], "factors": [2, 2]]),
      ("aggregated-posterior", ["codes": [0, 2]]), ("aggregated-posterior", ["codes": [2, 3]]),
      ("aggregated-posterior", ["codes": [2]]),
    ] as [(String, [String: [Int]])])
  func aSamplerOfOtherShapesIsRefused(name: String, shapes: [String: [Int]]) throws {
    let file = "sampler-\(name).safetensors"
    let tensors = shapes.map { name, shape in
      NamedTensor(
        name: name, shape: shape,
        values: [Float](repeating: 0.5, count: shape.reduce(1, *)))
    }
    try save(tensors, to: folder.appending(file))
    let model = try loaded()
    let error = fileError { try draw(file, model) }
    #expect(error?.kind == .mismatch, "\(String(describing: error))")
  }

  /// Mutated files, half of each kind.
  @Test func mutatedSamplersDrawOrAreRefused() throws {
    let model = try loaded()
    var random = Mutations(seed: 2)
    for (file, tensors) in Self.samplers {
      let path = folder.appending(file)
      try save(tensors, to: path)
      #expect(try draw(file, model) == [3, 2])
      let original = try bytes(of: path)
      for _ in 0..<Mutations.trials / 2 {
        try write(random.mutated(original), to: path)
        do { #expect(try draw(file, model) == [3, 2]) } catch { #expect(error is FileError) }
      }
      try FileManager.default.removeItem(atPath: path.string)
    }
  }
}
