import LatheFiles
import LatheData
import LatheModels
import LatheNN
import LatheTraining
import SystemPackage
import Testing

@Suite struct RunConfigurationTests {
  private let list = RunConfiguration.list

  private func error(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return "\(error)" }
    return nil
  }

  @Test func everySettingSaysWhatItMeans() {
    for setting in list.settings {
      #expect(setting.help.hasSuffix("."), "\(setting.name)")
      #expect(!setting.expectation.isEmpty, "\(setting.name)")
    }
  }

  @Test func flagsLieOverTheRecipeOverTheRun() throws {
    let run = RunOverlay(["batch": .int(96), "seed": .int(3), "log-every": .int(7)])
    let recipe = RunOverlay(["batch": .int(64), "seed": .int(2)])
    let flags = RunOverlay(["batch": .int(32)])
    let configuration = try flags.over(recipe.over(run)).configuration()
    #expect(configuration.batch.size == 32)
    #expect(configuration.optimization.seed == 2)
    #expect(configuration.output.logEvery == 7)
    #expect(configuration.output.checkpointEvery == 500)
  }

  @Test func hyperparametersCountEachForItself() {
    let below = RunOverlay(["configuration": .object(["a": .int(1), "b": .int(2)])])
    let above = RunOverlay(["configuration": .object(["b": .int(3)])])
    #expect(
      above.over(below).values["configuration"] == .object(["a": .int(1), "b": .int(3)]))
  }

  @Test func anotherModelTakesOverNoHyperparameters() {
    let below = RunOverlay([
      "model": .string("ae"), "configuration": .object(["a": .int(1)]), "sampler": .string("gmm"),
      "batch": .int(8),
    ])
    let same = RunOverlay(["model": .string("ae")]).over(below)
    #expect(same.values["sampler"] == .string("gmm"))
    let capitals = RunOverlay(["model": .string("AE")]).over(below)
    #expect(capitals.values["sampler"] == .string("gmm"))
    let other = RunOverlay(["model": .string("vae")]).over(below)
    #expect(other.values == ["model": .string("vae"), "batch": .int(8)])
  }

  @Test(arguments: [("steps", "epochs"), ("epochs", "steps")])
  func stepsAndEpochsReplaceEachOther(_ above: String, _ below: String) {
    let overlay = RunOverlay([above: .int(2)]).over(RunOverlay([below: .int(5)]))
    #expect(overlay.values == [above: .int(2)])
  }

  @Test func epochsAreWholeBatchesOfTheImagesThatAreThere() throws {
    let entry = try #require(ModelRegistry.standard["two-stage-vae"])
    let dataset = try #require(DatasetRegistry.standard["fashion-mnist"])
    var run = RunConfiguration()
    run.optimization.epochs = 5
    run.batch.size = 50
    let resolved = try run.resolved(entry, dataset, train: 1030, heldBack: 70)
    #expect(resolved.optimization.steps == 100 && resolved.optimization.epochs == nil)
    #expect(resolved.model.configuration["firstStageSteps"] == .int(50))
    #expect(resolved.data.validation == 70)
    #expect(resolved.model.sampler == entry.defaultSampler)
    run.batch.size = 2000
    #expect(
      error { _ = try run.resolved(entry, dataset, train: 1030, heldBack: 0) }
        == "batch: expected at most the 1030 training images, found 2000")
  }

  @Test(arguments: [
    (10, 4, 1, "batch: expected a multiple of the 4 slices, found 10"),
    (12, 4, 3, "slices: expected a multiple of the 3 ranks, found 4"),
    (4, 4, 2, "batch: expected at least 2 images a slice, found 4 in 4 slices"),
  ])
  func numbersThatContradictEachOther(batch: Int, slices: Int, ranks: Int, says: String) throws {
    var run = RunConfiguration()
    (run.batch.size, run.batch.slices) = (batch, slices)
    let found = error { try run.requireConsistent(ranks: ranks) }
    #expect(found?.hasPrefix(says) == true, "\(found ?? "nothing")")
  }

  @Test func aGroupedRecipeIsReadAsAFlatOne() {
    let given: [String: JSONValue] = [
      "evaluation": .object(["samples": .int(120), "features": .string("pixels")]),
      "batch": .int(4), "configuration": .object(["samples": .int(1)]),
    ]
    #expect(
      list.ungrouped(given) == [
        "samples": .int(120), "features": .string("pixels"), "batch": .int(4),
        "configuration": .object(["samples": .int(1)]),
      ])
  }

  @Test func formerNamesAreReadAndSaid() throws {
    let given: [String: JSONValue] = ["sample-every": .int(3), "sampler": .string("ancestral")]
    #expect(
      list.renamings(in: given) == [
        "sample-every is now called preview-every",
        "sampler ancestral is now called aggregated-posterior",
      ])
    let run = try list.configuration(with: given)
    #expect(run.output.previewEvery == 3 && run.model.sampler == .aggregatedPosterior)
  }

  /// Whatever decides what is computed must be the same; what is not may differ.
  @Test func aResumedRunDiffersInWhatDecidesNothingOnly() throws {
    var run = RunConfiguration()
    run.batch.slices = 2
    let state = RunState(step: 3, run: run, writtenBy: "test")
    run.optimization.steps = 9
    run.output.previewEvery = 1
    run.batch.overlap = .off
    run.model.sampler = .gmm
    try run.requireSameRun(as: state, at: "run")
    for (change, field) in [
      ({ $0.optimization.seed = 1 }, "seed"), ({ $0.data.flip = true }, "flip"),
      ({ $0.batch.statistics = .global }, "batch-statistics"), ({ $0.batch.slices = 4 }, "slices"),
      ({ $0.model.configuration = .object(["a": .int(1)]) }, "a"),
      ({ $0.data.sampling = .replacement }, "sampling"), ({ $0.data.validation = 5 }, "validation"),
      ({ $0.optimization.precision = .bfloat16 }, "precision"),
    ] as [((inout RunConfiguration) -> Void, String)] {
      var other = run
      change(&other)
      let found = error { try other.requireSameRun(as: state, at: "run") }
      #expect(found?.hasPrefix("run belongs to another run: \(field) is ") == true, "\(field)")
    }
  }
}
