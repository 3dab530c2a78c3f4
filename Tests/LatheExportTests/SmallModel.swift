import LatheExport
import LatheFiles
import LatheModels
import LatheNN
import LatheTensors
import Testing

/// A registered model with narrow networks, and running statistics as after some training.
struct SmallModel {
  let store: ParameterStore
  let model: any Model
  let images: ImageShape
  let latentSize = 4

  init(
    _ name: String, _ networks: String, images: ImageShape, seed: UInt64 = 1,
    _ more: [String: JSONValue] = [:]
  ) throws {
    let entry = try #require(ModelRegistry.standard[name])
    let known = Set(try entry.settings(images, 10).map(\.name))
    let narrow: [String: JSONValue] = [
      "filters": .int(2), "hiddenSize": .int(6), "latentSize": .int(4), "noiseSize": .int(3),
      "criticHidden": .array([.int(5)]), "generatorHidden": .array([.int(5), .int(6)]),
      "discriminatorHidden": .array([.int(5)]), "ratioHidden": .array([.int(5), .int(5)]),
      "secondHidden": .array([.int(5)]), "flowHidden": .array([.int(5), .int(7)]),
      "contextSize": .int(3), "pseudoInputs": .int(2), "networks": .string(networks),
    ]
    let given = narrow.filter { known.contains($0.key) }.merging(more) { $1 }
    store = ParameterStore(seed: seed)
    model = try entry.make(store.root, images, try entry.resolve(given, images, 10))
    self.images = images
    store.layOut()
    settle(RandomSource(seed: seed))
  }

  private func settle(_ random: RandomSource) {
    for buffer in store.buffers {
      let values = random.uniform(buffer.name, buffer.shape).values
      for (place, value) in values.enumerated() {
        buffer.value.storage.pointer[place] = 0.1 + 0.5 * value
      }
    }
  }

  func exported(sampler: Sampler? = nil) throws -> TrainedNetworks {
    try TrainedNetworks(
      model, store, images: images, latentSize: latentSize,
      sampler: sampler ?? model.samplers.first)
  }

  var facts: ExportFacts {
    ExportFacts(
      typeName: "Small", images: images, latentSize: latentSize, sampling: "",
      lines: [("model", "small"), ("range", "[0, 1]")])
  }

  /// The ONNX files by the networks' names.
  func files() throws -> [String: ONNXFile] {
    let written = try exported().onnx(facts, version: "1")
    return Dictionary(uniqueKeysWithValues: written.map { ($0.name, ONNXFile($0.bytes)) })
  }

  func pictures(_ count: Int) -> Tensor {
    RandomSource(seed: 7).uniform("x", [count, images.height, images.width, images.channels])
  }
}

/// Every model with every architecture of the registries.
struct Combination: CustomTestStringConvertible {
  let model, networks: String

  static let all = ModelRegistry.standard.names.flatMap { model in
    ArchitectureRegistry.standard.names.map { Combination(model: model, networks: $0) }
  }

  var testDescription: String { "\(model) \(networks)" }
}

let digits = ImageShape(height: 28, width: 28, channels: 1)
