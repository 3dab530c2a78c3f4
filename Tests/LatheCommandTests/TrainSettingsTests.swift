import Foundation
import LatheCommand
import LatheFiles
import LatheNN
import LatheTraining
import Testing

/// How `lathe train` comes by its settings.
@Suite struct TrainSettingsTests {
  private func overlay(_ arguments: String...) throws -> RunOverlay {
    try RunOverlay(flags: Train.parse(arguments))
  }

  private func failure(_ body: () throws -> Void) -> CommandFailure? {
    do { try body() } catch { return error as? CommandFailure }
    return nil
  }

  private func recipe(_ text: String) throws -> RunOverlay {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).yml").path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try Recipe.read(path)
  }

  /// A setting without a flag, or a flag without a setting, is a forgotten line. An array's shape
  /// is the file's.
  @Test func everySettingHasItsFlag() {
    let help = Train.helpMessage(columns: 80)
    let others = ["configuration", "shape"]
    for setting in RunConfiguration.list.settings where !others.contains(setting.name) {
      let flag =
        ["model", "dataset"].contains(setting.name) ? "<\(setting.name)>" : "--\(setting.name)"
      #expect(help.contains(flag), "\(flag)")
    }
  }

  @Test func helpFitsEightyColumns() {
    for line in Train.helpMessage(columns: 80).split(separator: "\n") {
      #expect(line.count <= 80, "\(line)")
    }
  }

  @Test func flagsBecomeSettingsByTheirNames() throws {
    let given = try overlay(
      "VAE", "mnist", "--batch", "64", "--overlap", "on", "--no-flip", "--data", "2026",
      "--metrics", "fid,prd", "--stall-timeout", "2.5", "--precision", "BFloat16")
    #expect(
      given.values == [
        "model": .string("VAE"), "dataset": .string("mnist"), "batch": .int(64),
        "overlap": .string("on"), "flip": .bool(false), "data": .string("2026"),
        "metrics": .array([.string("fid"), .string("prd")]), "stall-timeout": .double(2.5),
        "precision": .string("bfloat16"),
      ])
    #expect(try overlay().values.isEmpty)
  }

  @Test func theValueThatWasGivenIsPrinted() {
    let cases = [
      (["--batch=-3"], "--batch: expected a whole number, at least 1, found -3"),
      (["--batch", "many"], "--batch: expected a whole number, at least 1, found many"),
      (["--overlap", "maybe"], "--overlap: expected one of auto, on, off, found maybe"),
      (["--steps", "1", "--epochs", "1"], "--steps and --epochs: give one of them"),
    ]
    for (arguments, message) in cases {
      let found = failure { _ = try RunOverlay(flags: Train.parse(arguments)) }
      #expect(found?.description == message && found?.status == 64)
    }
  }

  @Test func theFormerFlagOfPreviewsIsRead() throws {
    #expect(try overlay("--sample-every", "3").values == ["preview-every": .int(3)])
  }

  @Test func aRecipeIsCheckedKeyByKey() throws {
    #expect(try recipe("batch: 8\noverlap: on\n").values["overlap"] == .string("on"))
    #expect(try recipe("sample-every: 5\n").values == ["preview-every": .int(5)])
    #expect(try recipe("evaluation:\n  samples: 9\n").values == ["samples": .int(9)])
    let cases = [
      ("bach: 8\n", "unknown key 'bach'"), ("batch: 0\n", "batch: expected a whole number"),
      ("steps: 1\nepochs: 1\n", "steps and epochs: give one of them"),
      ("- 1\n", "expected a mapping"),
      ("a: [\n", "not YAML"),
    ]
    for (text, message) in cases {
      let found = failure { _ = try recipe(text) }
      #expect(found?.description.contains(message) == true && found?.status == 65, "\(text)")
      #expect(found?.description.contains("DecodingError") == false)
    }
  }

  /// Numbers stand in config.yml as people write them.
  @Test func numbersOfARecipeArePlain() throws {
    var run = RunConfiguration()
    let numbers = [0.9, 5e-4, 1e-4, 1e-5, 2.5e-7, 1e20, 0.25, 600]
    run.model.configuration = .object(["n": .array(numbers.map { .double($0) })])
    let text = try Recipe.yaml(of: run)
    let written = text.split(separator: "\n").drop { $0.drop { $0 == " " } != "n:" }.dropFirst()
      .prefix(8)
    #expect(
      written.map { $0.drop { " -".contains($0) } }
        == ["0.9", "0.0005", "0.0001", "1.0e-5", "2.5e-7", "1.0e+20", "0.25", "600"])
  }

  /// A run's configuration, written as its config.yml and read again, is the same.
  @Test func aRecipeOfARunIsTheRun() throws {
    var run = RunConfiguration()
    (run.model.name, run.data.dataset) = ("vae", "mnist")
    run.model.configuration = .object(["latentSize": .int(3), "rate": .double(1e-5)])
    run.data.place = "/data/2026"
    (run.batch.slices, run.batch.overlap) = (4, .off)
    run.optimization.seed = UInt64(Int64.max)
    run.evaluation.metrics = [.fid]
    let read = try recipe(Recipe.yaml(of: run)).configuration()
    let list = RunConfiguration.list
    #expect(try list.values(of: read) == list.values(of: run))
  }
}
