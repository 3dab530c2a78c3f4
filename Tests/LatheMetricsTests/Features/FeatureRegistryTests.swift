import LatheMetrics
import LatheNN
import LatheTensors
import Testing

/// Extractors by name, those of other packages among them.
@Suite struct FeatureRegistryTests {
  /// The mean of an image's values.
  private struct Brightness: FeatureExtractor {
    let name = "brightness"
    let dimensions: Int? = 1
    let distanceName = "brightness distance"

    func features(of images: Tensor) -> Features {
      Features(images.mean(1, 2, 3).values, dimensions: 1)
    }
  }

  @Test func anOwnExtractorIsFoundByName() throws {
    let registry = FeatureRegistry.standard + [.init("brightness") { _ in Brightness() }]
    #expect(registry.entries.map(\.name) == ["classifier", "inception", "pixels", "brightness"])
    let shape = ImageShape(height: 2, width: 2, channels: 1)
    let extractor = try #require(registry["brightness"]).make(.init(images: shape))
    let images = Tensor([0, 0.5, 1, 0.5], shape: [1, 2, 2, 1])
    #expect(try extractor.features(of: images).values == [0.5])
    #expect(extractor.scoreName == "brightness-distance")
    #expect(extractor.summary(for: shape) == "features brightness, 1-d")
  }

  @Test func oneOfTheSameNameTakesItsPlace() throws {
    let registry = FeatureRegistry.standard + [.init("pixels") { _ in Brightness() }]
    #expect(registry.entries.count == 3)
    let shape = ImageShape(height: 2, width: 2, channels: 1)
    #expect(try registry["pixels"]?.make(.init(images: shape)).name == "brightness")
  }

  @Test(
    arguments: [
      ("classifier", nil, true), ("classifier", "FILE", true), ("inception", nil, false),
      ("inception", "FILE", true), ("pixels", "FILE", false),
    ] as [(String, String?, Bool)])
  func argumentsAreTakenWhereTheyMeanSomething(
    _ name: String, _ argument: String?, _ isAccepted: Bool
  ) throws {
    #expect(try #require(FeatureRegistry.standard[name]).accepts(argument: argument) == isAccepted)
  }

  @Test func whatIsNoPictureIsPixels() throws {
    let vectors = ImageShape(height: 1, width: 128, channels: 1)
    #expect(try FeatureRegistry.fallback(for: vectors).name == Pixels().name)
    let pictures = ImageShape(height: 28, width: 28, channels: 1)
    #expect(try FeatureRegistry.fallback(for: pictures).name == "classifier-grey (built in)")
  }
}
