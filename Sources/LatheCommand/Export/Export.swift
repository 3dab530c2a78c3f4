import ArgumentParser
import LatheExport
import LatheFiles
import LatheKernels
import LatheModels
import LatheTraining
import SystemPackage

struct Export: RootCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a trained run's networks for other programs.",
    usage: "lathe export RUN --to onnx|pytorch --out PLACE [options]",
    discussion: """
      ONNX, in a folder encoder.onnx, decoder.onnx and, where the sampler is a network, \
      sampler.onnx, or beside each other NAME-encoder.onnx …:
        lathe export RUN --to onnx --out DIR
        lathe export RUN --to onnx --out NAME.onnx
      PyTorch, a folder with model.py and model.safetensors:
        lathe export RUN --to pytorch --out DIR
      Images are float32 [N, height, width, channels] in [0, 1], codes float32 [N, dimensions]. \
      `lathe train --init-from DIR/model.safetensors` starts from such weights.
      """)

  /// What writes in whose words.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case onnx, pytorch
  }

  @OptionGroup var source: RunOptions

  @Option(help: "For which program: onnx or pytorch.")
  var to: Format

  @Option(help: "The sampler that is written, if it is a network (default: as in training).")
  var sampler: Sampler.Name?

  @Option(help: "A folder, or for ONNX the names' beginning, NAME.onnx.")
  var out: String

  func run() throws {
    Workers.setCount(source.threads)
    let saved = try source.run()
    let export = try ExportedRun(saved, sampler: sampler)
    let written = try to == .onnx ? writeONNX(export) : writePyTorch(export)
    print("\(saved.state.run.model.name) of \(saved.checkpoint), \(export.parameters)")
    for line in written { print(listed("written", line, column: 17)) }
    print(listed("sampler", export.samplerLine, column: 17))
  }

  private func writeONNX(_ export: ExportedRun) throws -> [String] {
    let files = try failing { try export.networks.onnx(export.facts, version: version) }
    let path = FilePath(out)
    let isName = path.extension?.lowercased() == "onnx" && !FileSystem.isFolder(path)
    guard isName || path.extension == nil || FileSystem.isFolder(path) else {
      throw CommandFailure.usage("--out \(out): expected a folder, or a name that ends in .onnx")
    }
    let folder = isName ? FileSystem.parent(of: path) : path
    try OutputFile.prepare(folder: folder)
    return try failing {
      try files.map { name, bytes in
        let file = isName ? "\(path.stem!)-\(name).onnx" : "\(name).onnx"
        try FileSystem.replace(folder.appending(file), with: bytes)
        return folder.appending(file).string
      }
    }
  }

  private func writePyTorch(_ export: ExportedRun) throws -> [String] {
    let (program, tensors) = try failing { try export.networks.pyTorch(export.facts) }
    let folder = FilePath(out)
    try OutputFile.prepare(folder: folder)
    let (code, weights) = (folder.appending("model.py"), folder.appending("model.safetensors"))
    try failing {
      try Safetensors.write(
        tensors.map {
          let values = $0.values.storage
          return (
            $0.name, $0.shape, UnsafeBufferPointer(start: values.pointer, count: values.count)
          )
        }, metadata: export.metadata, to: weights)
      try FileSystem.replace(code, with: Array(program.utf8))
    }
    return [code.string, weights.string]
  }
}
