import LatheData
import Foundation
import LatheNN
import LatheModels
import LatheTensors
import TestSupport
import Testing

@Suite struct NetworkTests {
  static let mnist = ImageShape(height: 28, width: 28, channels: 1)
  static let padded = ImageShape(height: 32, width: 32, channels: 1)
  static let cifar10 = ImageShape(height: 32, width: 32, channels: 3)
  static let celebA = ImageShape(height: 64, width: 64, channels: 3)
  static let vectors = ImageShape(height: 1, width: 128, channels: 1)

  /// What a family's networks of published width have for images and a latent size.
  struct Counts: Sendable, CustomTestStringConvertible {
    let family: Networks
    let images: ImageShape
    let latentSize, encoder, decoder: Int

    init(_ family: Networks, _ images: ImageShape, m: Int, _ encoder: Int, _ decoder: Int) {
      (self.family, self.images, latentSize) = (family, images, m)
      (self.encoder, self.decoder) = (encoder, decoder)
    }

    var testDescription: String { "\(family.name) \(images) m = \(latentSize)" }
  }

  static let counts = [
    Counts(.flexaeConv, mnist, m: 32, 6_590_944, 6_871_553),
    Counts(.flexaeConv, cifar10, m: 128, 8_657_472, 8_942_851),
    Counts(.flexaeConv, celebA, m: 128, 33_823_296, 34_182_403),
    Counts(.raeConv, padded, m: 16, 11_083_408, 11_606_273),
    Counts(.raeConv, cifar10, m: 128, 11_546_368, 18_954_499),
    Counts(.raeConv, celebA, m: 64, 18_267_200, 21_475_331),
    Counts(.dcgan, mnist, m: 8, 11_050_632, 10_943_745),
    Counts(.mlp, mnist, m: 48, 4_001_840, 4_002_576),
    Counts(.mlp, mnist, m: 64, 4_018_240, 4_018_960),
    // By the formula of each layer; no published count.
    Counts(.dcgan, celebA, m: 64, 18_267_200, 21_475_331),
    Counts(.mlp, vectors, m: 16, 3_297_296, 3_297_408),
    Counts(.pythaeConv, mnist, m: 16, 11_034_256, 6_181_377),
    Counts(.pythaeConv, cifar10, m: 16, 11_087_504, 11_614_467),
    Counts(.pythaeConv, celebA, m: 16, 11_284_112, 18_329_603),
  ]

  @Test(arguments: counts) func parameterCounts(_ expected: Counts) {
    let store = ParameterStore(seed: 1)
    let (family, m) = (expected.family, expected.latentSize)
    _ = family.architecture.encoder(
      store.root("encoder"), images: expected.images, outputs: m, size: NetworkSize())
    _ = family.architecture.decoder(
      store.root("decoder"), images: expected.images, latentSize: m, size: NetworkSize())
    #expect(store.parameterCount(of: "encoder") == expected.encoder)
    #expect(store.parameterCount(of: "decoder") == expected.decoder)
  }

  @Test(arguments: Networks.standard, [mnist, padded, cifar10, celebA, vectors])
  func shapesAndRanges(_ family: Networks, _ images: ImageShape) throws {
    let problem = try self.problem(family, images)
    // Vectors are no pictures: only fully connected networks take them.
    #expect((problem == nil) == (images != NetworkTests.vectors || family == .mlp))
    guard problem == nil else { return }
    let store = ParameterStore(seed: 1)
    let size = NetworkSize(filters: 2, hiddenSize: 8)
    let encoder = family.architecture.encoder(
      store.root("encoder"), images: images, outputs: 5, size: size)
    let decoder = family.architecture.decoder(
      store.root("decoder"), images: images, latentSize: 5, size: size)
    store.layOut()
    let shape: Shape = [3, images.height, images.width, images.channels]
    for mode in [Mode.training, .trainingWithoutTracking, .inference] {
      let codes = encoder(RandomSource(seed: 2).uniform("images", shape), mode: mode)
      #expect(codes.shape == [3, 5])
      let decoded = decoder(codes, mode: mode)
      #expect(decoded.shape == shape)
      #expect(decoded.values.allSatisfy { (0...1).contains($0) })
    }
  }

  /// Initial values: spread of the kernels and biases, in units of what each family's authors draw.
  @Test func initialValues() {
    let store = ParameterStore(seed: 3)
    let images = NetworkTests.mnist
    _ = Networks.dcgan.architecture.decoder(
      store.root("a3"), images: images, latentSize: 8, size: NetworkSize(filters: 16))
    _ = Networks.mlp.architecture.encoder(
      store.root("a5"), images: images, outputs: 8, size: NetworkSize(hiddenSize: 200))
    _ = Networks.pythaeConv.architecture.encoder(
      store.root("a6"), images: images, outputs: 8, size: NetworkSize(filters: 16))
    store.layOut()
    func values(_ name: String) -> [Float] {
      store.parameters.first { $0.name == name }!.value.values
    }
    func spread(_ name: String) -> Float {
      (values(name).reduce(0) { $0 + $1 * $1 } / Float(values(name).count)).squareRoot()
    }
    expectClose([spread("a3.conv0.weight")], [0.01], relative: 0.05, "normal, 0.01")
    #expect(values("a3.conv0.bias").allSatisfy { $0 == 0 })
    expectClose(
      [spread("a5.layer1.weight")], [(2 / Float(400)).squareRoot()], relative: 0.05, "Glorot-normal"
    )
    expectClose(
      [spread("a5.layer1.bias")], [(1 / Float(200)).squareRoot()], relative: 0.15,
      "uniform in ±√(3/n)")
    let limit = 1 / Float(16 * 64).squareRoot()
    expectClose(
      [spread("a6.conv3.weight")], [limit / Float(3).squareRoot()], relative: 0.05, "PyTorch's")
    #expect(values("a6.conv3.weight").allSatisfy { $0.magnitude <= limit })
  }

  /// Former names are read, in any case; a program's own architecture is found by its name.
  @Test func architecturesAreFoundByName() throws {
    for (former, now) in zip(["a1", "A2", "a3", "A4", "a5", "A6"], Networks.standard) {
      let read = try JSONDecoder().decode([Networks].self, from: Data("[\"\(former)\"]".utf8))
      #expect(read == [now])
    }
    let images = NetworkTests.mnist
    let unknown = try #require(try refusal("ae", images, ["networks": "unknown"]))
    #expect(unknown.hasPrefix("networks: expected one of flexae-conv, rae-conv, dcgan"))
    #expect(unknown.hasSuffix("found unknown"))
    ArchitectureRegistry.register(LinearNetworks())
    let (store, model) = try build("ae", images, ["networks": "linear"])
    #expect(store.parameters.map(\.shape.count) == [784 * 16, 16, 16 * 784, 784])
    #expect(model.decode(model.encode(Tensor(filledWith: 0, shape: [2, 28, 28, 1]))).shape[0] == 2)
  }

  @Test func impossibleImagesAreNamed() throws {
    let odd = ImageShape(height: 24, width: 24, channels: 1)
    #expect(
      try #require(try problem(.pythaeConv, odd)).contains(
        "28 × 28, 32 × 32 or 64 × 64, found 24 × 24"))
    let large = ImageShape(height: 68, width: 68, channels: 3)
    #expect(try problem(.flexaeConv, large) == nil)
    #expect(try #require(try problem(.dcgan, large)).contains("multiples of 8, found 68 × 68"))
  }

  /// What a model of any kind says about networks and images.
  private func problem(_ family: Networks, _ images: ImageShape) throws -> String? {
    try refusal("aae", images, ["networks": family.name])
  }
}

/// One layer each way: an architecture from outside the package.
private struct LinearNetworks: Architecture {
  let name = "linear"
  let summary = "one layer each way"

  struct Network: EncoderNetwork, DecoderNetwork {
    let layer: Linear
    let sizes: [Int]

    func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
      layer(x.flattened, mode: mode).reshaped(to: Shape([x.shape[0]] + sizes))
    }
  }

  func encoder(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize)
    -> any EncoderNetwork
  {
    Network(layer: Linear(scope, inputs: images.count, outputs: outputs), sizes: [outputs])
  }

  func decoder(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize)
    -> any DecoderNetwork
  {
    Network(
      layer: Linear(scope, inputs: latentSize, outputs: images.count),
      sizes: [images.height, images.width, images.channels])
  }
}
