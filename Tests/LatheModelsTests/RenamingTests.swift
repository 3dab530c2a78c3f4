import LatheFiles
import LatheModels
import LatheNN
import Testing

/// Former names of hyperparameters and architectures are read, and said.
@Suite struct RenamingTests {
  private let images = ImageShape(height: 28, width: 28, channels: 1)

  @Test func formerNamesAreSaid() throws {
    let entry = try #require(ModelRegistry.standard["wae-mmd"])
    let given: [String: JSONValue] = ["discrepancyWeight": .int(3), "networks": .string("A5")]
    #expect(
      try entry.renamings(in: given, images: images) == [
        "discrepancyWeight is now called mmdWeight", "networks A5 is now called mlp",
      ])
    let resolved = try entry.resolve(given, images, 1)
    #expect(resolved["networks"] == .string("mlp") && resolved["mmdWeight"] == .double(3))
  }

  @Test func presentNamesAreNot() throws {
    let entry = try #require(ModelRegistry.standard["wae-mmd"])
    let given: [String: JSONValue] = ["mmdWeight": .int(3), "networks": .string("MLP")]
    #expect(try entry.renamings(in: given, images: images) == [])
  }
}
