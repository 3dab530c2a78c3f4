import LatheFiles
import LatheData
import Glibc
import LatheMetrics
import SystemPackage
import LatheTensors
import TestSupport
import Testing

private func environment(_ name: String) -> FilePath? {
  getenv(name).map { FilePath(platformString: $0) }
}

private let weights = environment("LATHE_INCEPTION")
private let fashionFolder: FilePath = "/usr/share/datasets/fashion-mnist"

/// Inception's features against PyTorch.
@Suite struct InceptionTests {
  @Test(arguments: InceptionPreparation.Resize.allCases)
  func randomWeights(resize: InceptionPreparation.Resize) throws {
    let golden = try Golden(featureGolden)
    let images = try golden.tensor("images")
    for dimensions in resize == .tensorflow ? [64, 192, 768, 2048] : [192] {
      let network = try Inception(
        randomWithDimensions: dimensions, preparation: .init(resize: resize))
      let features = try network.features(of: images)
      #expect(features.count == 2 && features.dimensions == dimensions)
      expectClose(
        features.values, try golden.tensor("\(resize).\(dimensions)").values, relative: 1e-4,
        "\(dimensions)")
    }
  }

  @Test func featuresOfAnImageStandAlone() throws {
    let random = RandomSource(seed: 3)
    let network = try Inception(randomWithDimensions: 64)
    let images = random.uniform("images", [9, 8, 8, 1])
    let together = try network.features(of: images)
    let alone = try network.features(of: images.slice(8..<9, axis: 0))
    #expect(Array(together[8]) == Array(alone[0]))
  }

  @Test func preparations() throws {
    let random = RandomSource(seed: 4)
    let images = random.uniform("images", [2, 8, 8, 1])
    func features(_ preparation: InceptionPreparation, _ images: Tensor) throws -> [Float] {
      try Inception(randomWithDimensions: 64, preparation: preparation).features(of: images).values
    }
    // A dull image normalized is the bright one normalized; bytes differ from floats, but little.
    let dull = images * 0.25 + 0.5
    let minmax = Preprocessing(minmax: true)
    expectClose(minmax(dull).values, minmax(images).values, relative: 1e-4)
    #expect(
      difference(try features(.init(), dull), try features(.init(), images), relative: 1e-3) != nil)
    let bytes = try features(.init(), Preprocessing(rounding: .nearest)(images))
    expectClose(bytes, try features(.init(), images), relative: 2e-2)
    #expect(bytes != (try features(.init(), images)))
    let colour = concatenated([images, images, images], axis: 3)
    #expect(try features(.init(), colour) == features(.init(), images))
    #expect("\(InceptionPreparation(resize: .pytorch))" == "pytorch resize")
    let down = Preprocessing(rounding: .down)(Tensor([0.999, -1, 2, 0.5], shape: [1, 2, 2, 1]))
    #expect(down.values == [254.0 / 255, 0, 1, 127.0 / 255])
  }

  @Test func wrongChannels() throws {
    let network = try Inception(randomWithDimensions: 64)
    #expect(throws: FeatureError.channels(2, extractor: network.name, expected: "1 or 3")) {
      try network.features(of: Tensor(filledWith: 0, shape: [1, 8, 8, 2]))
    }
  }

  @Test func noSuchDimensions() {
    #expect(throws: FeatureError.noSuchDimensions(100, known: [64, 192, 768, 2048])) {
      try Inception(randomWithDimensions: 100)
    }
  }

  @Test func partialFileSaysHowFarItReaches() throws {
    let path = FilePath("\(temporaryFolder())/inception-\(getpid()).safetensors")
    defer { path.withPlatformString { _ = unlink($0) } }
    let layers = [("Conv2d_1a_3x3", 32, 3), ("Conv2d_2a_3x3", 32, 32), ("Conv2d_2b_3x3", 64, 32)]
    try write(layers, to: path)
    #expect(try Inception.dimensions(servedBy: path) == [64])
    _ = try Inception(dimensions: 64, reading: path)
    let error = #expect(throws: FeatureError.self) {
      try Inception(dimensions: 192, reading: path)
    }
    #expect(
      "\(try #require(error))"
        == "\(path) reaches 64 dimensions; 192 need layers Conv2d_3b_1x1, Conv2d_4a_3x3")
    try write(
      [("Conv2d_1a_3x3", 32, 3), ("Conv2d_2a_3x3", 32, 32), ("Conv2d_2b_3x3", 64, 31)], to: path)
    let shape = #expect(throws: FileError.self) { try Inception(dimensions: 64, reading: path) }
    #expect("\(try #require(shape))".contains("expected [64, 32, 3, 3], found [64, 31, 3, 3]"))
  }

  private func write(_ layers: [(String, Int, Int)], to path: FilePath) throws {
    let zeros = [Float](repeating: 0, count: 64 * 32 * 9)
    try zeros.withUnsafeBufferPointer { zeros in
      try Safetensors.write(
        layers.flatMap { name, outputs, inputs in
          [
            (
              name: name + ".weight", shape: [outputs, inputs, 3, 3],
              values: UnsafeBufferPointer(rebasing: zeros[..<(outputs * inputs * 9)])
            ),
            (
              name: name + ".bias", shape: [outputs],
              values: UnsafeBufferPointer(rebasing: zeros[..<outputs])
            ),
          ]
        }, metadata: [:], to: path)
    }
  }

  /// Where the data sets are that the golden file has images of; those that are not here are left
  /// out.
  static let places: [(name: String, path: FilePath)] = [
    ("mnist", environment("LATHE_MNIST")), ("cifar10", environment("LATHE_CIFAR10")),
    ("fashion-mnist", access(fashionFolder.string, R_OK) == 0 ? fashionFolder : nil),
  ].compactMap { name, path in path.map { (name, $0) } }

  @Test(
    .enabled(
      if: weights != nil && !places.isEmpty,
      """
      needs Inception's weights in the file LATHE_INCEPTION, and a data set: LATHE_MNIST, \
      LATHE_CIFAR10 or Debian's Fashion-MNIST
      """
    ), arguments: places.map(\.name))
  func realWeights(dataset: String) throws {
    let place = try #require(Self.places.first { $0.name == dataset }).path
    let set = try #require(DatasetRegistry.standard[dataset]).load(.test, at: place)
    let bytes = (0..<2).flatMap { set.bytes(of: $0) }
    let images = Tensor(
      bytes.map { Float($0) / 255 },
      shape: [2, set.shape.height, set.shape.width, set.shape.channels])
    let golden = try Golden(goldenPath("inception-weights.safetensors"))
    for (resize, dimensions) in [
      (InceptionPreparation.Resize.tensorflow, 64), (.tensorflow, 192), (.tensorflow, 768),
      (.pytorch, 768),
    ] {
      let network = try Inception(
        dimensions: dimensions, preparation: .init(resize: resize), reading: try #require(weights))
      expectClose(
        try network.features(of: images).values,
        try golden.tensor("\(dataset).\(resize).\(dimensions)").values, relative: 1e-4,
        "\(dataset) \(resize) \(dimensions)")
    }
  }
}

func temporaryFolder() -> String {
  getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
}
