import LatheData
import Foundation
import LatheNN
import LatheModels
import LatheTensors
import TestSupport
import Testing

@Suite struct ModelTests {
  static let grey = ImageShape(height: 28, width: 28, channels: 1)
  static let colour = ImageShape(height: 32, width: 32, channels: 3)

  @Test(arguments: [
    (grey, [6_590_944, 6_871_553, 3_215_392, 3_183_617]),
    (colour, [8_657_472, 8_942_851, 3_412_096, 3_281_921]),
  ])
  func flexaeParameterCounts(_ images: ImageShape, _ counts: [Int]) throws {
    let (store, _) = try build("flexae", images)
    #expect(
      ["encoder", "decoder", "generator", "critic"].map { store.parameterCount(of: $0) } == counts)
  }

  @Test(arguments: [(grey, 6_689_344, 6_642_242), (colour, 8_657_472, 8_616_132)])
  func vaeParameterCounts(_ images: ImageShape, _ encoder: Int, _ decoder: Int) throws {
    let (store, _) = try build("vae", images)
    #expect(store.parameterCount(of: "encoder") == encoder)
    #expect(store.parameterCount(of: "decoder") == decoder)
  }

  @Test func celebAParameterCounts() throws {
    let images = ImageShape(height: 64, width: 64, channels: 3)
    let flexae = try build("flexae", images).0
    #expect(flexae.parameterCount(of: "encoder") == 33_823_296)
    #expect(flexae.parameterCount(of: "decoder") == 34_182_403)
    let vae = try build("vae", images).0
    #expect(vae.parameterCount() == 33_823_296 + 33_855_684)
  }

  @Test(arguments: ModelRegistry.standard.entries.map(\.name)) func shapesInInference(
    _ name: String
  ) throws {
    let (_, model) = try build(name, ModelTests.grey, ["latentSize": 6])
    let random = RandomSource(seed: 2)
    let images = random.uniform("images", [3, 28, 28, 1])
    let codes = model.encode(images)
    #expect(codes.shape == [3, 6])
    for sampler in model.samplers { #expect(sampler.draw(5, random).shape == [5, 6]) }
    for made in [model.decode(codes), model.reconstruct(images, using: random)] {
      #expect(made.shape == images.shape)
      #expect(made.values.allSatisfy { (0...1).contains($0) })
    }
  }

  @Test(arguments: ModelRegistry.standard.entries.map(\.name))
  func phasesAreNamedOnceAndUpdateGroupsThatExist(
    _ name: String
  ) throws {
    let (store, model) = try build(name, ModelTests.grey)
    let phases = model.boundStep.flatMap(\.phases)
    #expect(Set(phases.map(\.name)).count == phases.count)
    for group in phases.flatMap(\.groups) { #expect(store.groupNames.contains(group)) }
    #expect(Set(phases.flatMap(\.groups)) == Set(store.groupNames))
  }

  @Test func impossibleConfigurationsAreNamed() throws {
    #expect(try refusal("flexae", ModelTests.grey) == nil)
    let odd = try #require(
      try refusal("flexae", ImageShape(height: 1, width: 128, channels: 1)))
    #expect(odd.contains("multiples of 4"))
    let none = try refusal("flexae", ModelTests.grey, ["latentSize": 0])
    #expect(none == "latentSize: expected a whole number, 1 to 1000000, found 0")
  }
}
