import Foundation
import TestSupport
import Testing

/// Faults that are found before MPI starts: one message, a status that says what kind.
@Suite struct CommandLineTests {
  static let faults: [(arguments: [String], status: Int32, message: String)] = [
    (["train", "vae", "synthetic", "--bogus"], 64, "--bogus"),
    (["train", "vea", "synthetic"], 64, "no model 'vea'; there are vae, beta-vae,"),
    (["train", "vae", "mnits"], 64, "no data set 'mnits'"),
    (["train"], 64, "which model?"),
    (
      ["train", "vae", "synthetic", "--batch", "100", "--slices", "3"], 64,
      "multiple of the 3 slices, found 100"
    ),
    (
      ["train", "vae", "synthetic", "--steps", "0"], 64,
      "--steps: expected a whole number, at least 1, found 0"
    ),
    (["train", "vae", "synthetic", "--steps", "5", "--epochs", "1"], 64, "give one of them"),
    (
      ["train", "vae", "synthetic", "--set", "latent=3"], 64, "latent: expected one of the settings"
    ),
    (["train", "vae", "synthetic", "--set", "latentSize=much"], 64, "latentSize"),
    (
      ["train", "vae", "synthetic", "--set", "latentSize=-1"], 64,
      "latentSize: expected a whole number, 1 to 1000000, found -1"
    ),
    (["train", "flexae", "synthetic8"], 64, "multiples of 4"),
    (["train", "vae", "synthetic", "--batch", "1000000"], 64, "training images, found 1000000"),
    (["train", "--recipe", "/nowhere.yml"], 66, "/nowhere.yml"),
    (["train", "vae", "mnist", "--data", "/nowhere"], 66, "/nowhere"),
    (["train", "vae", "synthetic", "--steps", "1", "--out", "/proc/run"], 73, "/proc/run"),
    (["train", "vae", "synthetic", "--resume", "--out", "/nowhere"], 66, "nothing to resume"),
    (["sample", "/nowhere"], 66, "/nowhere"),
  ]

  @Test(arguments: faults.indices) func faultsHaveAMessageAndAStatus(_ index: Int) throws {
    let fault = CommandLineTests.faults[index]
    let result = try runProcess(try builtExecutable("lathe"), fault.arguments, timeout: 60)
    #expect(result.status == fault.status, "\(fault.arguments): \(result)")
    #expect(result.errorOutput.contains(fault.message), "\(fault.arguments): \(result)")
  }

  @Test func aFaultIsPrintedOnceUnderMpirun() throws {
    let result = try mpirunResult(
      2, "lathe", ["train", "vae", "synthetic", "--slices", "3"], timeout: 60)
    #expect(result.status == 64)
    #expect(result.errorOutput.components(separatedBy: "multiple of the").count == 2, "\(result)")
  }

  /// Every recipe is understood down to its hyperparameters: what stops it is that there are no
  /// images.
  @Test func recipesAreUnderstood() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "launch/recipes")
    let recipes = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".yml") && !$0.contains("synthetic") }
    #expect(recipes.count > 50)
    try withFolder { empty in
      for recipe in recipes {
        let path = folder.appending(path: recipe).path
        let result = try runProcess(
          try builtExecutable("lathe"),
          ["train", "--recipe", path, "--data", "\(empty)/none", "--out", "\(empty)/run"],
          timeout: 60)
        #expect(result.status == 66 && result.errorOutput.contains("none"), "\(recipe): \(result)")
      }
    }
  }

  @Test func recipesWithFaults() throws {
    let faults = [
      ("model: vae\ndataset: synthetic\nstep: 5\n", "unknown key 'step'"), ("steps: [", "not YAML"),
      ("- 1\n", "expected a mapping"), ("model: vae\ndataset: synthetic\nsteps: many\n", "steps"),
      ("model: vae\ndataset: synthetic\nconfiguration: {latent: 3}\n", "latent: expected one of"),
    ]
    try withFolder { folder in
      for (text, message) in faults {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/recipe.yml"))
        let arguments = ["train", "--recipe", "\(folder)/recipe.yml", "--out", "\(folder)/run"]
        let result = try runProcess(try builtExecutable("lathe"), arguments, timeout: 60)
        #expect(result.status == 65 && result.errorOutput.contains(message), "\(text): \(result)")
      }
    }
  }

  @Test func damagedImagesAreNamed() throws {
    try withFolder { folder in
      for name in [
        "train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1",
      ] {
        try Data([0, 0, 8, 2, 0, 0, 0, 1]).write(
          to: URL(fileURLWithPath: "\(folder)/\(name)-ubyte"))
      }
      let arguments = ["train", "vae", "mnist", "--data", folder, "--out", "\(folder)/run"]
      let result = try runProcess(try builtExecutable("lathe"), arguments, timeout: 60)
      #expect(result.status == 65, "\(result)")
      #expect(result.errorOutput.contains("magic number: expected 2051, found 2050"), "\(result)")
    }
  }

  @Test(arguments: ["float32", "bfloat16"]) func benchmarks(_ precision: String) throws {
    let step = try mpirun(
      2, "lathe", "bench", "step", "--workload", "ae-a1-mnist", "--batch", "4", "--steps", "2",
      "--profile",
      "--precision", precision, timeout: 120)
    let line =
      #/lathe .* ae-a1-mnist ranks=2 threads=1 batch/rank=4 precision=.* images/s \(median step .*/#
    #expect(step.output.contains(line), "\(step)")
    #expect(
      step.output.contains("0.35 GF an image") && step.output.contains("0.00 blocks taken"),
      "\(step)")
  }

  @Test func listings() throws {
    let lathe = try builtExecutable("lathe")
    for (arguments, text) in [
      (["models"], "flexae"), (["models", "vae"], "likelihood: learned-variance"),
      (["datasets"], "fashion-mnist"),
      (["doctor"], "OpenBLAS"), (["--version"], "0.1.0"),
      (["train", "--help"], "--checkpoint-every"),
    ] {
      let result = try runProcess(lathe, arguments, timeout: 60)
      #expect(result.status == 0 && result.output.contains(text), "\(arguments): \(result)")
    }
  }
}

/// A folder of its own for one test, removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appending(
    path: "lathe-test-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.path)
}
