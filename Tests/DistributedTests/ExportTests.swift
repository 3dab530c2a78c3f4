import Foundation
import LatheFiles
import SystemPackage
import TestSupport
import Testing

/// Trained networks leave lathe, and weights come back.
@Suite struct ExportTests {
  private func run(_ ranks: Int, _ arguments: [String]) throws -> ProcessResult {
    try mpirunResult(ranks, "lathe", arguments, timeout: 120)
  }

  private func train(_ out: String, _ more: [String], ranks: Int = 1) throws -> ProcessResult {
    let arguments = [
      "train", "vae", "synthetic", "--batch", "16", "--networks", "mlp", "--set", "hiddenSize=8",
      "--preview-every", "0", "--out", out,
    ]
    return try run(ranks, arguments + more)
  }

  private func weights(_ path: String) throws -> Safetensors {
    try Safetensors(reading: FilePath(path))
  }

  /// Every parameter has the same bits in both files.
  private func expectSame(_ a: String, _ b: String, named names: [String]) throws {
    let (a, b) = (try weights(a), try weights(b))
    for name in names {
      #expect(
        try a.values(name).map(\.bitPattern) == b.values(name).map(\.bitPattern), "\(name)")
    }
  }

  /// The moving average leaves, and starts other runs, from the run and from the file.
  @Test func weightsThereAndBack() throws {
    try withFolder { folder in
      let (first, torch) = ("\(folder)/first", "\(folder)/torch")
      let size = ["--set", "latentSize=3"]
      #expect(try train(first, size + ["--steps", "3", "--ema", "0.9"]).status == 0)
      let exported = try run(1, ["export", first, "--to", "pytorch", "--out", torch])
      #expect(exported.output.contains("N(0, I)"), "\(exported)")
      #expect(exported.output.contains("the moving average"))
      let program = try String(contentsOfFile: "\(torch)/model.py", encoding: .utf8)
      #expect(program.contains("class VAE(nn.Module):") && program.contains("dataset: synthetic"))
      let average = "\(first)/checkpoints/step-000003/ema.safetensors"
      for (name, source) in [("run", first), ("file", "\(torch)/model.safetensors")] {
        let out = "\(folder)/\(name)"
        let still = ["--steps", "1", "--seed", "5", "--set", "learningRate=0"]
        let result = try train(out, size + still + ["--init-from", source], ranks: 2)
        #expect(result.status == 0 && result.errorOutput.contains("starts from"), "\(result)")
        let made = "\(out)/checkpoints/step-000001/model.safetensors"
        try expectSame(made, average, named: try weights(average).names)
        let text = try String(contentsOfFile: "\(out)/config.yml", encoding: .utf8)
        #expect(text.contains("init-from: \(source)"))
      }
      // What a run started from may be gone when it goes on.
      try FileManager.default.removeItem(atPath: torch)
      let more = ["train", "--resume", "--steps", "2", "--out", "\(folder)/file"]
      #expect(try run(1, more).status == 0)
    }
  }

  /// Names and shapes are compared, and named, before anything is computed.
  @Test func otherWeightsAreRefused() throws {
    try withFolder { folder in
      let first = "\(folder)/first"
      #expect(try train(first, ["--set", "latentSize=3", "--steps", "1"]).status == 0)
      func refused(_ more: [String]) throws -> ProcessResult {
        try train("\(folder)/other", ["--steps", "1"] + more)
      }
      let shape = try refused(["--set", "latentSize=4", "--init-from", first])
      #expect(shape.status == 65)
      #expect(
        shape.errorOutput.contains("decoder.layer0.weight: expected [4, 8], found [3, 8]"))
      let names = try refused([
        "--networks", "flexae-conv", "--set", "filters=2", "--init-from", first,
      ])
      #expect(names.status == 65)
      #expect(names.errorOutput.contains("missing: encoder.conv0.weight [4, 4, 1, 2]"))
      #expect(names.errorOutput.contains("not in the model: encoder.layer0.weight"))
      #expect(try refused(["--init-from", "\(folder)/nothing"]).status == 66)
      #expect(try refused(["--resume", "--init-from", first]).status == 64)
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/other"))
    }
  }

  /// Files for ONNX, by a folder or a name; what cannot be asked for.
  @Test func places() throws {
    try withFolder { folder in
      let first = "\(folder)/first"
      #expect(try train(first, ["--set", "latentSize=3", "--steps", "1"]).status == 0)
      func export(_ out: String, _ more: [String] = []) throws -> ProcessResult {
        try run(1, ["export", first, "--to", "onnx", "--out", "\(folder)/\(out)"] + more)
      }
      #expect(try export("files").status == 0)
      let named = try export("x.onnx", ["--sampler", "gmm"])
      #expect(named.output.contains("gmm, no network: a mixture of normal"), "\(named)")
      for name in ["files/encoder.onnx", "files/decoder.onnx", "x-encoder.onnx", "x-decoder.onnx"] {
        #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name)"), "\(name)")
      }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/files/sampler.onnx"))
      #expect(try export("x.pth").status == 64)
      #expect(try export("y.onnx", ["--sampler", "second-stage"]).status == 64)
      #expect(try export("first/config.yml/x.onnx").status == 73)
      #expect(try run(1, ["export", first, "--to", "keras", "--out", folder]).status == 64)
    }
  }
}
