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
    let family: NetworkFamily
    let images: ImageShape
    let latentSize, encoder, decoder: Int

    init(_ family: NetworkFamily, _ images: ImageShape, m: Int, _ encoder: Int, _ decoder: Int) {
      (self.family, self.images, latentSize) = (family, images, m)
      (self.encoder, self.decoder) = (encoder, decoder)
    }

    var testDescription: String { "\(family) \(images) m = \(latentSize)" }
  }

  static let counts = [
    Counts(.a1, mnist, m: 32, 6_590_944, 6_871_553),
    Counts(.a1, cifar10, m: 128, 8_657_472, 8_942_851),
    Counts(.a1, celebA, m: 128, 33_823_296, 34_182_403),
    Counts(.a2, padded, m: 16, 11_083_408, 11_606_273),
    Counts(.a2, cifar10, m: 128, 11_546_368, 18_954_499),
    Counts(.a2, celebA, m: 64, 18_267_200, 21_475_331),
    Counts(.a3, mnist, m: 8, 11_050_632, 10_943_745),
    Counts(.a5, mnist, m: 48, 4_001_840, 4_002_576),
    Counts(.a5, mnist, m: 64, 4_018_240, 4_018_960),
    // By the formula of each layer; no published count.
    Counts(.a3, celebA, m: 64, 18_267_200, 21_475_331),
    Counts(.a5, vectors, m: 16, 3_297_296, 3_297_408),
    Counts(.a6, mnist, m: 16, 11_034_256, 6_181_377),
    Counts(.a6, cifar10, m: 16, 11_087_504, 11_614_467),
    Counts(.a6, celebA, m: 16, 11_284_112, 18_329_603),
  ]

  @Test(arguments: counts) func parameterCounts(_ expected: Counts) {
    let store = ParameterStore(seed: 1)
    let (family, m) = (expected.family, expected.latentSize)
    _ = family.encoder(
      store.root("encoder"), images: expected.images, outputs: m, size: NetworkSize())
    _ = family.decoder(
      store.root("decoder"), images: expected.images, latentSize: m, size: NetworkSize())
    #expect(store.parameterCount(of: "encoder") == expected.encoder)
    #expect(store.parameterCount(of: "decoder") == expected.decoder)
  }

  @Test(arguments: NetworkFamily.allCases, [mnist, padded, cifar10, celebA, vectors])
  func shapesAndRanges(_ family: NetworkFamily, _ images: ImageShape) throws {
    let problem = try self.problem(family, images)
    // Vectors are no pictures: only fully connected networks take them.
    #expect((problem == nil) == (images != NetworkTests.vectors || family == .a5))
    guard problem == nil else { return }
    let store = ParameterStore(seed: 1)
    let size = NetworkSize(filters: 2, hiddenSize: 8)
    let encoder = family.encoder(store.root("encoder"), images: images, outputs: 5, size: size)
    let decoder = family.decoder(store.root("decoder"), images: images, latentSize: 5, size: size)
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
    _ = NetworkFamily.a3.decoder(
      store.root("a3"), images: images, latentSize: 8, size: NetworkSize(filters: 16))
    _ = NetworkFamily.a5.encoder(
      store.root("a5"), images: images, outputs: 8, size: NetworkSize(hiddenSize: 200))
    _ = NetworkFamily.a6.encoder(
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

  @Test func impossibleImagesAreNamed() throws {
    let odd = ImageShape(height: 24, width: 24, channels: 1)
    #expect(
      try #require(try problem(.a6, odd)).contains("28 × 28, 32 × 32 or 64 × 64, found 24 × 24"))
    let large = ImageShape(height: 68, width: 68, channels: 3)
    #expect(try problem(.a1, large) == nil)
    #expect(try #require(try problem(.a3, large)).contains("multiples of 8, found 68 × 68"))
  }

  /// What a model of any kind says about networks and images.
  private func problem(_ family: NetworkFamily, _ images: ImageShape) throws -> String? {
    let entry = try #require(ModelRegistry.entry(named: "aae"))
    var settings =
      try JSONSerialization.jsonObject(with: entry.configuration(images, 10)) as! [String: Any]
    settings["networks"] = family.rawValue
    return try entry.problem(images, JSONSerialization.data(withJSONObject: settings))
  }
}
