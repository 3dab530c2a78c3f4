import LatheExport
import LatheModels
import LatheNN
import LatheTensors
import TestSupport
import Testing

/// What ONNX files compute, by an evaluator of the operators' specification.
@Suite struct ONNXTests {
  private func expectSameNumbers(_ small: SmallModel, _ name: String) throws {
    let files = try small.files()
    let encoder = try #require(files["encoder"]), decoder = try #require(files["decoder"])
    let images = small.pictures(5)
    let codes = withoutGradients { small.model.encode(images) }
    expectClose(encoder(["images": images]), codes, relative: 1e-5, "\(name) encoder")
    let decoded = withoutGradients { small.model.decode(codes) }
    expectClose(decoder(["codes": codes]), decoded, relative: 1e-5, "\(name) decoder")
  }

  @Test(arguments: Combination.all) func numbersAreTheModels(_ one: Combination) throws {
    let small = try SmallModel(one.model, one.networks, images: digits)
    try expectSameNumbers(small, one.testDescription)
  }

  /// Odd zeros before and behind, crops, more transposed convolutions; vectors.
  @Test(arguments: ArchitectureRegistry.standard.names)
  func numbersOfOtherShapes(_ networks: String) throws {
    for (side, channels) in [(32, 3), (64, 3)] {
      let images = ImageShape(height: side, width: side, channels: channels)
      try expectSameNumbers(try SmallModel("vae", networks, images: images), "\(side) \(networks)")
    }
    guard networks == "mlp" else { return }
    let vectors = ImageShape(height: 1, width: 12, channels: 1)
    try expectSameNumbers(try SmallModel("vae-flow", networks, images: vectors), "vectors")
  }

  @Test func spectralNormalizationIsFolded() throws {
    let small = try SmallModel("rae", "rae-conv", images: digits, ["regularization": .string("sn")])
    try expectSameNumbers(small, "rae sn")
  }

  @Test(arguments: [("flexae", ["noise"]), ("maskaae", ["prior"])])
  func samplerOfOneInput(_ name: String, _ inputs: [String]) throws {
    let small = try SmallModel(name, "mlp", images: digits)
    let sampler = try #require(try small.files()["sampler"])
    #expect(sampler.inputs.map(\.name) == inputs)
    #expect(sampler.inputs[0].sizes[0] == "N" && sampler.outputs[0].sizes == ["N", "4"])
    let size = Int(sampler.inputs[0].sizes[1])!
    let noise = RandomSource(seed: 3).normal("x", [5, size])
    let drawn = small.model.samplers[0].draw(5, RandomSource(seed: 1).giving([inputs[0]: noise]))
    expectClose(sampler([inputs[0]: noise]), drawn, relative: 1e-5)
  }

  @Test func samplerOfTwoInputs() throws {
    let small = try SmallModel("two-stage-vae", "mlp", images: digits)
    let sampler = try #require(try small.files()["sampler"])
    #expect(sampler.inputs.map(\.name) == ["second_prior", "second_noise"])
    let (a, b) = (
      small.pictures(1).flattened.slice(0..<20, axis: 1).reshaped(to: [5, 4]),
      RandomSource(seed: 3).normal("b", [5, 4])
    )
    let random = RandomSource(seed: 1).giving(["second prior": a, "second noise": b])
    let drawn = small.model.samplers[0].draw(5, random)
    expectClose(sampler(["second_prior": a, "second_noise": b]), drawn, relative: 1e-5)
  }

  @Test(arguments: [
    ("vae", "standardNormal"), ("vampprior", "other"), ("vae-iop", "other"),
    ("ncp-vae", "other"), ("fsq", "other"),
  ])
  func samplersThatAreNoNetworks(_ name: String, _ form: String) throws {
    let small = try SmallModel(name, "mlp", images: digits)
    let networks = try small.exported()
    #expect("\(networks.samplerForm)" == form)
    #expect(try networks.onnx(small.facts, version: "1").map(\.name) == ["encoder", "decoder"])
  }

  /// Names, axes, the version of the operators, metadata; zeros are said, not asked for.
  @Test func structure() throws {
    let small = try SmallModel("flexae", "flexae-conv", images: digits)
    let encoder = try #require(try small.files()["encoder"])
    #expect(encoder.inputs.map(\.name) == ["images"] && encoder.outputs.map(\.name) == ["codes"])
    #expect(encoder.inputs[0].sizes == ["N", "28", "28", "1"])
    #expect(encoder.outputs[0].sizes == ["N", "4"])
    #expect(encoder.model.messages(8)[0].numbers(2) == [17])
    let metadata = encoder.model.messages(14).map { $0.strings(1) + $0.strings(2) }
    #expect(metadata == [["model", "small"], ["range", "[0, 1]"]])
    let kinds = [
      "Transpose", "Conv", "Relu", "Conv", "BatchNormalization", "Relu", "Transpose", "Reshape",
      "Gemm", "BatchNormalization", "Relu", "Gemm",
    ]
    #expect(encoder.nodes.map(\.kind) == kinds)
    let conv = encoder.nodes[1]
    #expect(conv.ints("pads") == [1, 1, 1, 1] && conv.attributes["auto_pad"] == nil)
    #expect(encoder.tensors["encoder.conv0.weight"]?.shape == [2, 1, 4, 4])
  }

  /// What a network does beside operations is not written as something else.
  @Test(arguments: Deciding.Way.allCases) func whatIsNotRecordedIsRefused(_ way: Deciding.Way) {
    let store = ParameterStore(seed: 1)
    store.layOut()
    #expect(throws: ExportError.self) {
      try TrainedNetworks(
        Deciding(way: way), store, images: digits, latentSize: 2, sampler: nil)
    }
  }
}

/// A model whose codes depend on its batch in ways that no trace sees.
struct Deciding: Model {
  enum Way: CaseIterable, Sendable { case numbers, count, storage }
  static let (name, summary, source) = ("deciding", "", "")
  typealias Group = AutoencoderGroup
  struct Configuration: ModelConfiguration {}
  let way: Way

  init(way: Way) { self.way = way }
  init(_ scope: Scope, images: ImageShape, configuration: Configuration) { way = .numbers }

  var step: [Block<Self>] { [] }
  var samplers: [Sampler] { [] }
  func decode(_ codes: Tensor) -> Tensor { codes }

  func encode(_ images: Tensor) -> Tensor {
    let codes = images.flattened.slice(0..<2, axis: 1)
    switch way {
    case .numbers: return codes * images.values[0]
    case .count: return codes * Float(images.shape[0])
    case .storage: return codes + Tensor(filledWith: images.storage.pointer[0])
    }
  }
}
