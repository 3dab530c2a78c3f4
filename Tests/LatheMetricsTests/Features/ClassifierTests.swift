import LatheNN
import LatheData
import LatheFiles
import Glibc
import LatheMetrics
import SystemPackage
import LatheTensors
import TestSupport
import Testing

/// The classifier: its training, its file, the two that come with lathe.
@Suite struct ClassifierTests {
  /// Bright bars: upright ones are class 0, lying ones class 1.
  private func bars(_ count: Int, _ split: Split) -> ImageSet {
    let shape = ImageShape(height: 12, width: 12, channels: 1)
    var pixels: [UInt8] = []
    for image in 0..<count {
      let place = 1 + image / 2 % 10
      for i in 0..<12 {
        for j in 0..<12 { pixels.append((image % 2 == 0 ? j : i) == place ? 255 : UInt8(i + j)) }
      }
    }
    return ImageSet(
      name: "bars", split: split, shape: shape, pixels: pixels,
      labels: (0..<count).map { UInt8($0 % 2) }, classNames: ["upright", "lying"])
  }

  private func configuration(colour: Bool) -> ClassifierTraining.Configuration {
    var configuration = ClassifierTraining.Configuration()
    configuration.epochs = 25
    configuration.batch = 16
    configuration.isColourised = colour
    return configuration
  }

  @Test(arguments: [false, true]) func learnsAndSaves(colour: Bool) throws {
    let training = ClassifierTraining(
      configuration(colour: colour), train: bars(160, .train), test: bars(40, .test))
    let before = training.testAccuracy()
    var losses: [Double] = []
    let accuracy = training.run { _, loss, _ in losses.append(loss) }
    #expect(before < 0.7)
    #expect(accuracy > (colour ? 0.8 : 0.95))
    #expect(losses.last! < losses.first! / 2)

    let path = FilePath("\(temporaryFolder())/classifier-\(getpid())-\(colour).safetensors")
    defer { path.withPlatformString { _ = unlink($0) } }
    try training.write(to: path)
    let classifier = try Classifier(reading: path)
    #expect(classifier.channels == (colour ? 3 : 1) && classifier.side == (colour ? 16 : 12))
    #expect(classifier.accuracy.hasSuffix(" %"))
    let images = RandomSource(seed: 1).uniform("images", [3, 12, 12, classifier.channels])
    let features = try classifier.features(of: images)
    #expect(features.count == 3 && features.dimensions == classifier.dimensions)
    #expect(
      Array(try classifier.features(of: images.slice(2..<3, axis: 0))[0]) == Array(features[2]))
  }

  /// A file from elsewhere may say anything of itself.
  @Test(
    arguments: ["channels", "side", "classes"], ["9223372036854775807", "513000", "0", "-1", "x"])
  func numbersThatCannotBeMeantAreRefused(key: String, value: String) throws {
    let path = FilePath("\(temporaryFolder())/classifier-\(getpid())-\(key)-\(value)")
    defer { path.withPlatformString { _ = unlink($0) } }
    var metadata = ["channels": "1", "side": "12", "classes": "2"]
    metadata[key] = value
    try [Float(1)].withUnsafeBufferPointer {
      try Safetensors.write([("t", [1], $0)], metadata: metadata, to: path)
    }
    do {
      _ = try Classifier(reading: path)
      Issue.record("read")
    } catch { #expect(error.kind == .mismatch && error.what == "metadata \(key)") }
  }

  @Test func trainingIsRepeatable() throws {
    func losses() -> [Double] {
      var losses: [Double] = []
      var short = configuration(colour: true)
      short.epochs = 1
      ClassifierTraining(short, train: bars(64, .train), test: bars(8, .test))
        .run { _, loss, _ in losses.append(loss) }
      return losses
    }
    #expect(losses() == losses())
  }

  @Test(arguments: [1, 3]) func comesWithLathe(channels: Int) throws {
    let classifier = try Classifier(channels: channels)
    #expect(classifier.channels == channels && classifier.distanceName == "proxy distance")
    let accuracy = try #require(Double(classifier.accuracy.dropLast(2)))
    #expect(accuracy > (channels == 1 ? 90 : 80))
    let images = RandomSource(seed: 2).uniform("images", [4, 32, 32, channels])
    let features = try classifier.features(of: images)
    #expect(features.count == 4 && features.dimensions == 96)
    #expect(features.values.allSatisfy(\.isFinite) && features.values.contains { $0 > 0 })
  }

  @Test func noneForTwoChannels() {
    #expect(throws: FeatureError.channels(2, extractor: "classifier", expected: "1 or 3")) {
      try Classifier(channels: 2)
    }
  }

  @Test func greyClassifierRefusesColour() throws {
    let classifier = try Classifier(channels: 1)
    #expect(throws: FeatureError.self) {
      try classifier.features(of: Tensor(filledWith: 0, shape: [1, 28, 28, 3]))
    }
  }

  @Test(arguments: [Float.nan, .infinity, -1]) func weightsThatGiveNoFeaturesAreRefused(
    value: Float
  ) throws {
    let scratch = try Scratch()
    let path = scratch.path.appending("classifier.safetensors")
    let training = ClassifierTraining(
      configuration(colour: false), train: bars(16, .train), test: bars(4, .test))
    try training.write(to: path)
    let file = try Safetensors(reading: path)
    let victim = "classifier.norm1.running_var"
    let tensors = try file.names.map { name in
      var values = try file.values(name)
      if name == victim { values[3] = value }
      return NamedTensor(name: name, shape: try file.shape(of: name), values: values)
    }
    let metadata = file.metadata.filter { !$0.key.hasPrefix("crc32.") }
    try save(tensors, metadata: metadata, to: path)
    let error = fileError { _ = try Classifier(reading: path) }
    #expect(error?.kind == .mismatch && error?.found == "\(value)")
    #expect(error?.what?.hasPrefix(victim) == true)
  }

  @Test func pixelsAreThemselves() throws {
    let images = RandomSource(seed: 5).uniform("images", [3, 2, 4, 1])
    let features = try Pixels().features(of: images)
    #expect(features == Features(images.values, dimensions: 8))
    #expect(features[1].elementsEqual(images.values[8..<16]))
  }
}
