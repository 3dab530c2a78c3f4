import Foundation
import LatheFiles
import SystemPackage
import TestSupport
import Testing

/// Codes and images for other programs, and what is said about runs.
@Suite struct ArrayTests {
  private func run(_ ranks: Int, _ arguments: [String]) throws -> String {
    let result = try mpirunResult(ranks, "lathe", arguments, timeout: 120)
    guard result.status == 0 else {
      throw ProcessError.failed(arguments.joined(separator: " "), result)
    }
    return result.output
  }

  private func train(_ out: String, _ more: String...) throws -> String {
    let arguments = [
      "train", "vae", "synthetic", "--steps", "3", "--batch", "16", "--networks", "mlp", "--set",
      "hiddenSize=8", "--set", "latentSize=3", "--preview-every", "0", "--out", out,
    ]
    return try run(1, arguments + more)
  }

  private func array(_ path: String) throws -> NumPyArray {
    try NumPyArray(bytes(of: FilePath(path)), path: FilePath(path))
  }

  /// The same bytes on any number of ranks; codes of images, images of codes.
  @Test func arraysOnAnyNumberOfRanks() throws {
    try withFolder { folder in
      let out = "\(folder)/run"
      _ = try train(out)
      for ranks in [1, 2, 4] {
        let codes = "\(folder)/codes\(ranks).npy"
        _ = try run(ranks, ["encode", out, "--count", "230", "--out", codes])
        let images = "\(folder)/images\(ranks).npy"
        _ = try run(ranks, ["decode", out, codes, "--out", images])
        _ = try run(ranks, ["sample", out, "--count", "130", "--out", "\(folder)/s\(ranks).npy"])
        let own = ["--count", "230", "--out", "\(folder)/own\(ranks).npy"]
        #expect(try run(ranks, ["reconstruct", out] + own).contains("230 reconstructions of test"))
      }
      let images1 = try bytes(of: FilePath("\(folder)/images1.npy"))
      #expect(try bytes(of: FilePath("\(folder)/own1.npy")) == images1, "decode(encode(x))")
      for name in ["codes", "images", "own", "s"] {
        let files = try [1, 2, 4].map { try bytes(of: FilePath("\(folder)/\(name)\($0).npy")) }
        #expect(files[0] == files[1] && files[0] == files[2], "\(name)")
      }
      #expect(try array("\(folder)/codes1.npy").shape == [230, 3])
      let images = try array("\(folder)/images1.npy")
      #expect(images.shape.count == 4 && images.shape[0] == 230)
      // The codes are of the images that they stand for: the second half by itself.
      _ = try run(
        1, ["encode", out, "--first", "115", "--count", "115", "--out", "\(folder)/half.npy"])
      let half = try array("\(folder)/half.npy").values
      let all = try array("\(folder)/codes1.npy").values.suffix(half.count)
      #expect(zip(half, all).allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }

  /// Distances of codes to their fourth neighbour, each itself the first, against all pairs.
  @Test func benchOfScores() throws {
    try withFolder { folder in
      let (out, path) = ("\(folder)/run", "\(folder)/codes.npy")
      _ = try train(out)
      _ = try run(1, ["encode", out, "--count", "150", "--out", path])
      let output = try run(1, ["bench", "scores", path, "--only", "neighbors", "gmm"])
      let codes = try array(path).values.map { Double($0) }
      func distance(_ i: Int, _ j: Int) -> Double {
        var sum = 0.0
        for axis in 0..<3 {
          let difference = codes[3 * i + axis] - codes[3 * j + axis]
          sum += difference * difference
        }
        return sum.squareRoot()
      }
      var mean = 0.0
      for i in 0..<150 { mean += (0..<150).map { distance(i, $0) }.sorted()[3] / 150 }
      let found = try #require(output.firstMatch(of: /mean distance of the 4th ([0-9.e-]+)/)?.1)
      #expect(try abs(#require(Double(found)) - mean) < 1e-6 * mean, "\(output)")
      #expect(output.contains("gmm: ") && !output.contains("tsne: "))
    }
  }

  /// What is decoded of the codes that `encode` writes, bit for bit, for draws too.
  @Test func drawnReconstructionsAreDecodedCodes() throws {
    try withFolder { folder in
      let out = "\(folder)/run"
      _ = try train(out)
      let some = ["--first", "7", "--count", "60", "--drawn", "--seed", "3"]
      _ = try run(1, ["encode", out, "--out", "\(folder)/codes.npy"] + some)
      _ = try run(1, ["decode", out, "\(folder)/codes.npy", "--out", "\(folder)/decoded.npy"])
      _ = try run(2, ["reconstruct", out, "--out", "\(folder)/own.npy"] + some)
      let files = try ["decoded", "own"].map { try bytes(of: FilePath("\(folder)/\($0).npy")) }
      #expect(files[0] == files[1])
    }
  }

  /// Vectors of a file are trained on, encoded, sampled and compared in their own values.
  @Test func vectors() throws {
    try withFolder { folder in
      let (file, out) = ("\(folder)/codes.npy", "\(folder)/run")
      let values = (0..<600).map { Float($0 * 37 % 101) / 20 - 3 }
      let writer = try NumPyWriter(FilePath(file), [.init("", .float32, [100, 6])])
      try writer.append(values)
      try writer.finish()
      let training = try mpirunResult(
        2, "lathe",
        ["train", "ae", file, "--steps", "3", "--batch", "16", "--networks", "mlp", "--out", out]
          + ["--set", "hiddenSize=8", "--set", "latentSize=3", "--preview-every", "0"],
        timeout: 120)
      #expect(training.status == 0, "\(training)")
      #expect(training.errorOutput.contains("100 vectors of 6, float32, [-3, 2] becomes [0, 1]"))
      _ = try run(1, ["reconstruct", out, "--data", file, "--out", "\(folder)/r.npy"])
      let found = try array("\(folder)/r.npy")
      #expect(found.shape == [100, 6] && found.values.allSatisfy { $0 > -3 && $0 < 2 })
      let output = try run(2, ["fid", "\(folder)/r.npy", file])
      for name in ["pixel-distance", "kid", "knn/precision", "knn/recall", "density", "coverage"] {
        #expect(output.contains("\n\(name) "), "\(name): \(output)")
      }
      #expect(output.contains("100 vectors"), "\(output)")
      let grid = try mpirunResult(1, "lathe", ["sample", out], timeout: 60)
      #expect(grid.status == 64 && grid.errorOutput.contains("vectors have no pictures"))
    }
  }

  /// One picture for each image, none over another's.
  @Test func pictures() throws {
    try withFolder { folder in
      let out = "\(folder)/run"
      _ = try train(out)
      let place = ["sample", out, "--count", "70", "--out", "\(folder)/pictures"]
      #expect(try run(2, place).contains("rounded to the nearest"))
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/pictures").sorted()
      #expect(names.count == 70 && names.first == "000000.png" && names.last == "000069.png")
      #expect(try mpirunResult(2, "lathe", place, timeout: 60).status == 64)
    }
  }

  /// Nothing is written, and what is said is there.
  @Test func dryRun() throws {
    try withFolder { folder in
      let output = try train("\(folder)/run", "--dry-run")
      #expect(output.contains("dry run: nothing was written"))
      for line in ["memory ", "a step ", "the run ", "checkpoints "] {
        #expect(output.contains("\n\(line)"), "\(line)")
      }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
    }
  }

  /// Steps are measured in each stage of a run, also in one that is shorter than the measurement.
  @Test func dryRunInStages() throws {
    try withFolder { folder in
      let output = try run(
        2,
        [
          "train", "wae-gan", "synthetic", "--dry-run", "--steps", "1000000", "--batch", "16",
          "--networks", "mlp", "--set", "hiddenSize=256", "--set", "pretrainingSteps=2", "--set",
          "discriminatorHidden=[512, 512]", "--preview-every", "0", "--out", "\(folder)/run",
        ])
      let words = output.split { $0.isWhitespace }.joined(separator: " ")
      let pattern = /a step (\S+) s, .* mean; (\S+) s to step 2, (\S+) s to step 1,/
      let line = try #require(words.firstMatch(of: pattern), "\(output)")
      let (mean, first, second) = (Double(line.1)!, Double(line.2)!, Double(line.3)!)
      // Pre-training takes less than half as long.
      #expect(first < 0.75 * second && mean == second, "\(output)")
    }
  }

  /// Runs are told apart by what differs; a page stands alone.
  @Test func listedComparedReported() throws {
    try withFolder { folder in
      _ = try train("\(folder)/a", "--train-images", "100")
      _ = try train("\(folder)/b", "--seed", "7", "--data-seed", "0")
      let listed = try run(1, ["runs", folder])
      #expect(listed.contains("synthetic, step 3/3") && listed.contains("seed=7"))
      let compared = try run(1, ["compare", "\(folder)/a", "\(folder)/b", "--out", folder])
      #expect(compared.contains("train-images") && compared.contains("preview/error"))
      _ = try run(1, ["report", "\(folder)/a", "\(folder)/b", "--out", "\(folder)/r.html"])
      let page = try String(contentsOfFile: "\(folder)/r.html", encoding: .utf8)
      #expect(page.contains("<polyline") && page.contains("data:image/png;base64,"))
      #expect(!page.contains("http") && !page.contains("<script"))
      #expect(page.contains("on 1 rank (1 on ") && page.contains("from step 0 by lathe "))
    }
  }
}
