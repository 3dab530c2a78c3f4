import Foundation
import TestSupport
import Testing

/// `lathe data` and training from pictures, on pictures of our own making.
@Suite struct DataTests {
  /// PNG pictures below `folder`, made by `lathe data show`, which draws grids of generated images.
  private func makePictures(_ count: Int, in folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let first = "\(folder)/000.png"
    let result = try runProcess(
      try builtExecutable("lathe"),
      ["data", "show", "synthetic", "--count", "16", "--out", first], timeout: 60)
    #expect(result.status == 0, "\(result)")
    for number in 1..<count {
      try FileManager.default.copyItem(
        atPath: first, toPath: "\(folder)/\(String(format: "%03d", number)).png")
    }
  }

  private func pack(_ ranks: Int, _ folder: String, _ out: String, _ more: String...) throws
    -> ProcessResult
  {
    try mpirunResult(
      ranks, "lathe",
      ["data", "pack", "folder", "--data", folder, "--size", "16", "--out", out] + more,
      timeout: 120)
  }

  private func content(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test func sameFileOnAnyNumberOfRanks() throws {
    try withFolder { folder in
      try makePictures(300, in: "\(folder)/pictures")
      var files: [Data] = []
      for ranks in [1, 2, 4] {
        let result = try pack(ranks, "\(folder)/pictures", "\(folder)/\(ranks).pack")
        #expect(
          result.status == 0 && result.output.contains("300 images of 16 × 16 × 3"), "\(result)")
        files.append(try content("\(folder)/\(ranks).pack"))
      }
      #expect(files[1] == files[0] && files[2] == files[0])
      let lathe = try builtExecutable("lathe")
      let verified = try runProcess(
        lathe, ["data", "verify", "\(folder)/4.pack", "--data", "\(folder)/pictures"], timeout: 60)
      #expect(verified.status == 0 && verified.output.contains("unchanged"), "\(verified)")
      let stats = try runProcess(lathe, ["data", "stats", "\(folder)/2.pack"], timeout: 60)
      #expect(stats.output.contains("folder, train: 270 images"), "\(stats)")
      #expect(stats.output.contains("channel 2: mean"), "\(stats)")
    }
  }

  @Test func packingGoesOnAfterAKill() throws {
    try withFolder { folder in
      try makePictures(600, in: "\(folder)/pictures")
      #expect(try pack(1, "\(folder)/pictures", "\(folder)/whole.pack").status == 0)
      let out = "\(folder)/killed.pack"
      let job = Process()
      job.executableURL = URL(fileURLWithPath: try builtExecutable("lathe"))
      job.arguments = [
        "data", "pack", "folder", "--data", "\(folder)/pictures", "--size", "16", "--out", out,
      ]
      try job.run()
      // Killed as soon as there is something to go on from.
      let journal = "\(out).partial.journal"
      wait(atMost: .seconds(60)) {
        !job.isRunning || FileManager.default.fileExists(atPath: journal)
      }
      usleep(20_000)
      kill(job.processIdentifier, SIGKILL)
      #expect(wait(atMost: .seconds(10)) { !job.isRunning })
      let result = try pack(2, "\(folder)/pictures", out)
      #expect(result.status == 0, "\(result)")
      #expect(try content(out) == content("\(folder)/whole.pack"))
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(left.sorted() == ["killed.pack", "pictures", "whole.pack"])
    }
  }

  @Test func damagedPicturesAreNamedOnceAndMayBeLeftOut() throws {
    try withFolder { folder in
      try makePictures(70, in: "\(folder)/pictures")
      let bad = "\(folder)/pictures/069.png"
      try Data(content(bad).prefix(500)).write(to: URL(fileURLWithPath: bad))
      let result = try pack(2, "\(folder)/pictures", "\(folder)/a.pack")
      #expect(result.status == 65, "\(result)")
      #expect(result.errorOutput.components(separatedBy: "069.png").count == 2, "\(result)")
      let tolerant = try pack(2, "\(folder)/pictures", "\(folder)/a.pack", "--skip-corrupt")
      #expect(tolerant.status == 0 && tolerant.output.contains("69 images"), "\(tolerant)")
      #expect(tolerant.errorOutput.contains("left out: PNG"), "\(tolerant)")
      let missing = try pack(2, "\(folder)/nothing", "\(folder)/b.pack")
      #expect(missing.status == 66, "\(missing)")
      #expect(
        missing.errorOutput.components(separatedBy: "does not exist").count == 2, "\(missing)")
    }
  }

  /// Packs on first use, trains the same on any number of ranks, and knows where its images are.
  @Test func trainingFromPictures() throws {
    try withFolder { folder in
      try makePictures(80, in: "\(folder)/pictures")
      func train(_ ranks: Int, _ out: String) throws -> ProcessResult {
        let arguments = [
          "train", "flexae", "folder", "--data", "\(folder)/pictures", "--size", "16", "--flip",
          "--cache", "\(folder)/cache", "--steps", "3", "--batch", "16", "--slices", "2",
          "--out", "\(folder)/\(out)",
        ]
        let narrow = [
          "latentSize=4", "filters=4", "hiddenSize=8", "generatorHidden=[8]", "criticHidden=[8]",
        ]
        return try mpirunResult(
          ranks, "lathe", arguments + narrow.flatMap { ["--set", $0] }, timeout: 120)
      }
      let first = try train(1, "one")
      #expect(
        first.status == 0 && first.errorOutput.contains("packing 80 pictures into"), "\(first)")
      let second = try train(2, "two")
      #expect(second.status == 0 && !second.errorOutput.contains("packing"), "\(second)")
      #expect(second.output.contains("waiting for data"), "\(second)")
      let model = "checkpoints/step-000003/model.safetensors"
      #expect(try content("\(folder)/one/\(model)") == content("\(folder)/two/\(model)"))
      let reconstruct = try runProcess(
        try builtExecutable("lathe"),
        ["reconstruct", "\(folder)/two", "--count", "8"],
        environment: ["LATHE_CACHE": "\(folder)/cache"], timeout: 60)
      #expect(reconstruct.status == 0, "\(reconstruct)")
      let packed = try #require(
        try FileManager.default.contentsOfDirectory(atPath: "\(folder)/cache").first)
      #expect(packed.hasPrefix("folder-16-centre-bilinear-"))
    }
  }

  static let faults: [(arguments: [String], status: Int32, message: String)] = [
    (["data", "pack", "mnist"], 64, "needs no packing"),
    (["data", "pack", "faces"], 64, "no data set 'faces'"),
    (["data", "pack", "celeba", "--crop", "200"], 64, "at most 178"),
    (["data", "pack", "celeba", "--size", "0"], 64, "expected 1 to 4096, found 0"),
    (["data", "stats", "mnist", "--crop", "20"], 64, "no pictures to prepare"),
    (["data", "verify", "celeba", "--data", "/nowhere"], 66, "/nowhere (does not exist)"),
    (["data", "show", "synthetic", "--first", "6000"], 64, "has 6000 images"),
    (["train", "vae", "mnist", "--crop", "20"], 64, "no pictures to prepare"),
  ]

  @Test(arguments: faults.indices) func faultsHaveAMessageAndAStatus(_ index: Int) throws {
    let fault = DataTests.faults[index]
    let result = try runProcess(try builtExecutable("lathe"), fault.arguments, timeout: 60)
    #expect(result.status == fault.status, "\(fault.arguments): \(result)")
    #expect(result.errorOutput.contains(fault.message), "\(fault.arguments): \(result)")
  }
}
