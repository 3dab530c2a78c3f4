import LatheNN
import LatheData
import LatheMetrics
import Testing

struct StructuralSimilarityTests {
  @Test func greyMatchesScikitImage() throws {
    let golden = try golden("similarity")
    let similarity = try StructuralSimilarity(shape: ImageShape(height: 28, width: 24, channels: 1))
    expectClose(
      try similarity(golden.floats("grey"), golden.floats("other_grey")),
      try golden.values("of_grey"), relative: 1e-9)
  }

  @Test func colourMatchesScikitImage() throws {
    let golden = try golden("similarity")
    let similarity = try StructuralSimilarity(shape: ImageShape(height: 17, width: 19, channels: 3))
    expectClose(
      try similarity(golden.floats("colour"), golden.floats("other_colour")),
      try golden.values("of_colour"), relative: 1e-9)
  }

  @Test func equalImagesHaveOne() throws {
    let image = patterned(11, 11, 0).values
    let similarity = try StructuralSimilarity(shape: ImageShape(height: 11, width: 11, channels: 1))
    expectClose(similarity(image, image), [1], relative: 1e-12)
  }

  /// Flat images have no structure left: (2ab + c₁)/(a² + b² + c₁).
  @Test func flatImagesCompareBrightness() throws {
    let similarity = try StructuralSimilarity(shape: ImageShape(height: 12, width: 15, channels: 1))
    let (one, other) = ([Float](repeating: 0.5, count: 180), [Float](repeating: 0.25, count: 180))
    expectClose(similarity(one, other), [(0.25 + 1e-4) / (0.3125 + 1e-4)], relative: 1e-9)
  }

  @Test func smallImagesAreRefused() {
    let error = ScoreError.tooFew(
      "pixels across for structural similarity", needed: 11, found: 10)
    #expect(throws: error) {
      try StructuralSimilarity(shape: ImageShape(height: 64, width: 10, channels: 1))
    }
  }
}
