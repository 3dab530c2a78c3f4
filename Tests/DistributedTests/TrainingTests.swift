import LatheFiles
import Foundation
import LatheModels
import TestSupport
import LatheTraining
import Testing

/// The narrow configurations that the golden files were computed with: a file and its settings for
/// each model.
private let narrow: [String: [String]] = {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "LatheModelsTests/Golden")
  let files = try! FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  var found: [String: [String]] = [:]
  for file in files where file.hasSuffix(".safetensors") {
    let metadata = try! Golden(folder.appending(path: file).path).metadata
    let text = Data(metadata["configuration"]!.utf8)
    let settings = try! JSONDecoder().decode(JSONValue.self, from: text)
    guard case .object(let members) = settings else { continue }
    found[metadata["model"]!] = members.map { "\($0.key)=\($0.value.text)" }.sorted()
  }
  return found
}()

/// Arguments of a short run of a narrow model on generated images.
private func train(_ model: String, _ out: String, steps: Int, slices: Int = 4, _ more: String...)
  -> [String]
{
  return [
    "train", model, "synthetic", "--steps", "\(steps)", "--batch", "32", "--slices", "\(slices)",
    "--out", out,
  ]
    + narrow[model]!.flatMap { ["--set", $0] } + more
}

/// The bytes that must not depend on who computed them.
private func files(_ run: String, step: Int) throws -> [Data] {
  try ["model.safetensors", "optimizer.safetensors", "state.json"].map {
    try Data(
      contentsOf: URL(
        fileURLWithPath: "\(run)/checkpoints/step-\(String(format: "%06d", step))/\($0)"))
  }
}

private func run(_ ranks: Int, _ arguments: [String]) throws -> ProcessResult {
  let result = try mpirunResult(ranks, "lathe", arguments, timeout: 120)
  guard result.status == 0 else {
    throw ProcessError.failed(arguments.joined(separator: " "), result)
  }
  return result
}

/// `lathe` on so many ranks, with a /dev/shm of its own.
private func inSharedMemory(of size: String, _ ranks: Int, _ arguments: [String]) throws
  -> ProcessResult
{
  let job = """
    mount -t tmpfs -o size=\(size) tmpfs /dev/shm
    exec \(mpirunCommand(ranks)) "$0" "$@"
    """
  return try oneJobAtATime {
    try runProcess(
      "unshare", ["--mount", "sh", "-ec", job, try builtExecutable("lathe")] + arguments,
      environment: ["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"],
      timeout: 120)
  }
}

/// `lathe train` under mpirun, on generated images.
@Suite struct TrainingTests {
  @Test(
    arguments: ModelRegistry.standard.entries.map { ($0.name, "float32") } + [
      ("flexae", "bfloat16")
    ])
  func sameBitsOnAnyNumberOfRanksAndThreads(_ model: String, _ precision: String) throws {
    try withFolder { folder in
      func arguments(_ name: String, slices: Int = 4, threads: Int = 1) -> [String] {
        train(
          model, "\(folder)/\(name)", steps: 5, slices: slices, "--threads", "\(threads)",
          "--precision", precision)
      }
      _ = try run(1, arguments("one"))
      let expected = try files("\(folder)/one", step: 5)
      for (name, ranks, threads) in [("two", 2, 1), ("four", 4, 1), ("threads", 2, 2)] {
        _ = try run(ranks, arguments(name, threads: threads))
        #expect(try files("\(folder)/\(name)", step: 5) == expected, "\(name)")
      }
      // Another number of slices is another computation.
      _ = try run(2, arguments("other", slices: 2))
      #expect(try files("\(folder)/other", step: 5)[0] != expected[0])
    }
  }

  /// Numbers of ranks that leave each rank with unaligned blocks of slices; overlap changes no bit
  /// either.
  @Test func sameBitsOnNumbersOfRanksThatAreNoPowersOfTwo() throws {
    try withFolder { folder in
      var expected: [Data]?
      for (ranks, overlap) in [(1, "off"), (2, "on"), (3, "off"), (4, "on"), (6, "on")] {
        let out = "\(folder)/\(ranks)"
        _ = try run(
          ranks, train("flexae", out, steps: 3, slices: 12, "--batch", "24", "--overlap", overlap))
        let found = try files(out, step: 3)
        #expect(found == expected ?? found, "\(ranks) ranks, overlap \(overlap)")
        expected = found
      }
    }
  }

  /// In a /dev/shm of its own, with room for everything, what MPICH takes too, and for gradients
  /// alone; needs root.
  @Test(.enabled(if: geteuid() == 0, "skipped: mounting a small /dev/shm needs root"))
  func littleSharedMemoryChangesNoBits() throws {
    try withFolder { folder in
      let cases = [
        (size: "450m", shares: "shared memory .* parameters and moments too"),
        (size: "260m", shares: "messages .*room for"),
      ]
      var found: [[Data]] = []
      for (size, shares) in cases {
        let arguments = [
          "train", "vae", "synthetic", "--steps", "2", "--batch", "16", "--slices", "4", "--out",
          "\(folder)/\(size)",
        ]
        let result = try inSharedMemory(of: size, 2, arguments)
        if result.errorOutput.contains("unshare") || result.errorOutput.contains("mount:") {
          print("skipped: no tmpfs can be mounted here: \(result.errorOutput)")
          return
        }
        #expect(result.status == 0, "\(size): \(result)")
        let banner = result.output.replacing(/\n {5,}/, with: " ")
        #expect(banner.contains(try Regex("gradients +" + shares)), "\(size): \(result)")
        found.append(try files("\(folder)/\(size)", step: 2))
      }
      #expect(found.allSatisfy { $0 == found[0] })
    }
  }

  /// Synchronized statistics: other bits than slices on their own, the same whoever computes them.
  @Test func synchronizedStatisticsDoNotDependOnRanks() throws {
    try withFolder { folder in
      func result(_ ranks: Int, _ statistics: String) throws -> [Data] {
        let out = "\(folder)/\(statistics)-\(ranks)"
        _ = try run(
          ranks, train("flexae", out, steps: 3, slices: 4, "--batch-statistics", statistics))
        return try files(out, step: 3)
      }
      let alone = try result(1, "global")
      #expect(try result(2, "global") == alone)
      #expect(try result(4, "global") == alone)
      #expect(try result(1, "slice")[0] != alone[0])
    }
  }

  /// Labels reach the decoder on every rank, and each class has its sampler, which all ranks fit.
  @Test func aConditionalRunHasTheSameBitsOnAnyNumberOfRanks() throws {
    try withFolder { folder in
      let runs = try [1, 2, 4].map { ranks in
        let out = "\(folder)/\(ranks)"
        _ = try run(ranks, train("vae", out, steps: 4, "--conditional"))
        _ = try run(ranks, ["sample", out, "--by-class", "--count", "3", "--sampler", "gmm"])
        let sampler = "\(out)/checkpoints/step-000004/sampler-gmm.safetensors"
        let picture = "\(out)/samples/classes-000004-gmm-seed0.png"
        return try files(out, step: 4)
          + [sampler, picture].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
      }
      #expect(runs[0] == runs[1] && runs[0] == runs[2])
      _ = try run(1, train("vae", "\(folder)/plain", steps: 1))
      let refused = try mpirunResult(
        1, "lathe", ["sample", "\(folder)/plain", "--by-class"], timeout: 60)
      #expect(refused.status == 64 && refused.errorOutput.contains("without --conditional"))
      let never = try mpirunResult(
        1, "lathe", train("flexae", "\(folder)/never", steps: 1, "--conditional"), timeout: 60)
      #expect(never.status == 64 && never.errorOutput.contains("never conditional"), "\(never)")
      let same = ["train", "--resume", "--steps", "6", "--out", "\(folder)/1"]
      #expect(try run(2, same).output.contains("resumed after step 4"))
    }
  }

  /// What is not asked for again comes from the run: slices, too, and defaults that depend on its
  /// length.
  @Test(arguments: ["two-stage-vae", "vampprior", "vae-iop"])
  func aLongerResumeNeedsNoSettings(_ model: String) throws {
    try withFolder { folder in
      let out = "\(folder)/run"
      let tiny = ["filters=2", "hiddenSize=8", "latentSize=2"].flatMap { ["--set", $0] }
      let first = ["train", model, "synthetic", "--steps", "4", "--batch", "16", "--out", out]
      _ = try run(2, first + tiny)
      let resumed = try run(1, ["train", "--resume", "--steps", "6", "--out", out])
      #expect(resumed.output.contains("resumed after step 4"))
      #expect(FileManager.default.fileExists(atPath: "\(out)/checkpoints/step-000006"))
      let other = try mpirunResult(
        1, "lathe", ["train", "--resume", "--out", out, "--set", "latentSize=3"], timeout: 60)
      #expect(other.status == 65)
      #expect(
        other.errorOutput.contains(": latentSize is 2 there, 3 was asked for"),
        "\(other)")
      #expect(!other.errorOutput.contains("MPI_ABORT"))
    }
  }

  /// Steps are counted from the images that are there: each stage gets half of them.
  @Test func stagesShareTheStepsOfThePicturesThatAreThere() throws {
    try withFolder { folder in
      let out = "\(folder)/run"
      let shape = ["filters=2", "hiddenSize=8", "latentSize=2"].flatMap { ["--set", $0] }
      _ = try run(
        1,
        ["train", "two-stage-vae", "synthetic", "--epochs", "1", "--batch", "512", "--out", out]
          + shape)
      let config = try String(contentsOfFile: "\(out)/config.yml", encoding: .utf8)
      let steps = try #require(number("steps", in: config))
      #expect(steps > 1)
      #expect(number("firstStageSteps", in: config) == steps / 2)
    }
  }

  private func number(_ key: String, in text: String) -> Int? {
    let line = text.split(separator: "\n").first {
      $0.trimmingCharacters(in: .whitespaces).hasPrefix("\(key):")
    }
    return line.flatMap { Int($0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)) }
  }

  @Test(arguments: ModelRegistry.standard.entries.map(\.name))
  func resumingIsExactOnAnotherNumberOfRanks(
    _ model: String
  )
    throws
  {
    try withFolder { folder in
      _ = try run(2, train(model, "\(folder)/straight", steps: 6))
      _ = try run(4, train(model, "\(folder)/halves", steps: 3))
      let resumed = try run(1, train(model, "\(folder)/halves", steps: 6, "--resume"))
      #expect(resumed.output.contains("resumed after step 3"))
      #expect(try files("\(folder)/halves", step: 6) == files("\(folder)/straight", step: 6))
      let metrics = try String(contentsOfFile: "\(folder)/halves/metrics.jsonl", encoding: .utf8)
      #expect(metrics.split(separator: "\n").allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
    }
  }

  @Test func aRunLeavesWhatItPromises() throws {
    try withFolder { folder in
      let result = try run(2, train("flexae", "\(folder)/run", steps: 3))
      for text in [
        "4 slices", "ranks       2", "training and", "images/s", "test error/pixel", "done",
      ] {
        #expect(result.output.contains(text), "\(text)")
      }
      for file in [
        "config.yml", "metrics.jsonl", "samples/samples-000003.png",
        "samples/reconstructions-000003.png",
      ] {
        #expect(FileManager.default.fileExists(atPath: "\(folder)/run/\(file)"), "\(file)")
      }
      let lathe = try builtExecutable("lathe")
      let sample = try runProcess(lathe, ["sample", "\(folder)/run", "--count", "5"], timeout: 60)
      #expect(sample.status == 0, "\(sample)")
      let reconstruct = try runProcess(
        lathe, ["reconstruct", "\(folder)/run", "--count", "8"], timeout: 60)
      #expect(
        reconstruct.status == 0 && reconstruct.output.contains("mean squared error per pixel"),
        "\(reconstruct)")
      // The saved configuration is a recipe for the same run.
      _ = try run(1, ["train", "--recipe", "\(folder)/run/config.yml", "--out", "\(folder)/again"])
      #expect(try files("\(folder)/again", step: 3) == files("\(folder)/run", step: 3))
    }
  }

  @Test func aDamagedNewestCheckpointIsNamedAndTheOneBeforeUsed() throws {
    try withFolder { folder in
      _ = try run(1, train("vae", "\(folder)/run", steps: 4, "--checkpoint-every", "2"))
      let path = "\(folder)/run/checkpoints/step-000004/model.safetensors"
      let straight = try files("\(folder)/run", step: 4)
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      bytes[bytes.count - 100] ^= 1
      try bytes.write(to: URL(fileURLWithPath: path))
      let resumed = try run(1, train("vae", "\(folder)/run", steps: 4, "--resume"))
      #expect(resumed.output.contains("resumed after step 2"))
      #expect((resumed.output + resumed.errorOutput).contains("step-000004/model.safetensors"))
      #expect(try files("\(folder)/run", step: 4) == straight)
    }
  }

  @Test func aLossThatIsNotFiniteStopsTheRun() throws {
    try withFolder { folder in
      let result = try mpirunResult(
        2, "lathe", train("flexae", "\(folder)/run", steps: 50, "--set", "reconstructionRate=1e30"),
        timeout: 120)
      #expect(result.status == 70, "\(result)")
      #expect(result.errorOutput.contains("step 1, phase critic: "))
    }
  }

  @Test func ranksThatDisagreeAreNamed() throws {
    try withFolder { folder in
      func seeded(_ seed: String) -> [String] {
        train("vae", "\(folder)/run", steps: 2, slices: 4, "--seed", seed)
      }
      let result = try mpirunResult(2, "lathe", seeded("1"), last: seeded("2"), timeout: 60)
      #expect(result.status == 65, "\(result)")
      #expect(
        result.errorOutput.contains(
          /rank 1 on \S+ differs from rank 0 in seed: expected 1, found 2/))
    }
  }

  @Test func anotherRunsCheckpointIsRefused() throws {
    try withFolder { folder in
      _ = try run(1, train("vae", "\(folder)/run", steps: 1))
      let other = try mpirunResult(
        1, "lathe",
        train("vae", "\(folder)/run", steps: 2, slices: 4, "--resume", "--set", "learningRate=0.5"),
        timeout: 60)
      #expect(other.status == 65 && other.errorOutput.contains("learningRate"), "\(other)")
      let again = try mpirunResult(1, "lathe", train("vae", "\(folder)/run", steps: 2), timeout: 60)
      #expect(again.status == 64 && again.errorOutput.contains("--resume"), "\(again)")
    }
  }
}
