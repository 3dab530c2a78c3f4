import ArgumentParser
import Foundation
import LatheFiles
import LatheReports
import SystemPackage

/// Where a command's figures go.
struct FigureOptions: ParsableArguments {
  @Option(
    help:
      """
      The picture to write, NAME.png or NAME.svg, or a folder for it; several figures become \
      NAME-WHAT.png (default: beside the run's other samples).
      """
  )
  var out: String?

  @Flag(help: "Write each figure as SVG as well.")
  var svg = false

  func validate() throws {
    let isArray = ["npy", "npz"].contains(FilePath(out ?? "").extension?.lowercased())
    if !isArray { try requireFigure() }
  }

  /// - Throws: `ValidationError` if `--out` is no place for a figure.
  private func requireFigure() throws {
    do { _ = try FigureFormat(of: FilePath(out ?? "")) } catch {
      throw ValidationError("--out \(error)")
    }
  }

  /// Whether a single file was named.
  var isFile: Bool { out.map { FilePath($0).extension != nil } ?? false }

  /// Sees that figures can be written, before the work begins.
  ///
  /// - Throws: `CommandFailure` (73).
  func prepare(in folder: FilePath) throws {
    guard out != nil || !FileSystem.isLink(folder) else {
      throw CommandFailure.unwritable("\(folder): expected a folder, found a link; say --out")
    }
    try requireFigure()
    let path = FilePath(out ?? folder.string)
    try OutputFile.prepare(folder: isFile ? FileSystem.parent(of: path) : path)
  }

  /// Draws a figure to each of its files; returns their paths for a message.
  ///
  /// - Parameters:
  ///   - name: its name without ending, unless `--out` names a file.
  ///   - part: what distinguishes it from the command's other figures.
  ///   - isOnly: whether there are no others, so that the file that `--out` names is this one.
  ///   - folder: where it goes, unless `--out` says.
  @discardableResult func write(
    _ name: String, part: String? = nil, isOnly: Bool = false, in folder: FilePath,
    _ draw: (FilePath) throws -> Void
  ) throws -> String {
    let part = part?.asFileName
    let paths = paths(part.map { "\(name)-\($0)" } ?? name, isOnly ? nil : part, in: folder)
    try prepare(in: folder)
    try failing { for path in paths { try draw(path) } }
    return paths.map(\.string).joined(separator: ", ")
  }

  private func paths(_ name: String, _ part: String?, in folder: FilePath) -> [FilePath] {
    var path = FilePath(out ?? folder.string)
    if !isFile {
      path.append("\(name).png")
    } else if let part, let stem = path.stem, let ending = path.extension {
      path = path.removingLastComponent().appending("\(stem)-\(part).\(ending)")
    }
    guard svg, path.extension?.lowercased() != "svg" else { return [path] }
    var vector = path
    vector.extension = "svg"
    return [path, vector]
  }
}

/// The run that a command looks at.
struct RunOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp("A run's folder, or one of its checkpoints.", valueName: "run"),
    completion: .runs)
  var folder: String

  @OptionGroup var checkpoint: CheckpointOptions

  var data: String? { checkpoint.data }
  var threads: Int { checkpoint.threads }

  /// The run, with the model of the checkpoint that was asked for.
  func run() throws -> SavedRun { try checkpoint.run(folder) }
}

/// Which of a run's checkpoints a command looks at, and with what.
struct CheckpointOptions: ParsableArguments {
  @Option(help: "Use the checkpoint after this many steps (default: the newest).")
  var step: Int?

  @Flag(help: "Use the checkpoint that was best on validation images (train --evaluate-every).")
  var best = false

  @Flag(help: "Use the parameters, not their moving average (train --ema).")
  var raw = false

  @Option(
    help:
      """
      Folder of the data set's files (default: where the run had them, or where they are usually \
      found).
      """
  )
  var data: String?

  @Option(help: "Threads of this command, on each rank.")
  var threads = 1

  /// The run in a folder, with the model of the checkpoint that was asked for.
  func run(_ folder: String) throws -> SavedRun {
    try SavedRun(folder, step: step, best: best, raw: raw)
  }

  func validate() throws {
    guard step == nil || !best else {
      throw ValidationError("--step, --best: give one of them")
    }
    try check("--threads", threads, in: 1...256)
  }
}
