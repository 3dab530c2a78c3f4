import ArgumentParser
import Foundation
import LatheReports
import SystemPackage

/// Where a command's figures go.
struct FigureOptions: ParsableArguments {
  @Option(
    help:
      "The picture to write, NAME.png or NAME.svg, or a folder for it (default: beside the run's other samples)."
  )
  var out: String?

  @Flag(help: "Write each figure as SVG as well.")
  var svg = false

  func validate() throws {
    do { _ = try FigureFormat(of: FilePath(out ?? "")) } catch {
      throw ValidationError("--out \(error)")
    }
  }

  /// Whether a single file was named.
  var isFile: Bool { out.map { FilePath($0).extension != nil } ?? false }

  /// Draws a figure to each of its files; returns their paths for a message.
  ///
  /// - Parameters:
  ///   - name: its name without ending, unless `--out` names a file.
  ///   - folder: where it goes, unless `--out` says.
  @discardableResult func write(
    _ name: String, in folder: FilePath, _ draw: (FilePath) throws -> Void
  ) throws -> String {
    let paths = paths(name, in: folder)
    try failing {
      for path in paths {
        try FileManager.default.createDirectory(
          atPath: path.removingLastComponent().string.isEmpty
            ? "." : path.removingLastComponent().string, withIntermediateDirectories: true)
        try draw(path)
      }
    }
    return paths.map(\.string).joined(separator: ", ")
  }

  private func paths(_ name: String, in folder: FilePath) -> [FilePath] {
    var path = FilePath(out ?? folder.string)
    if !isFile {
      path.append("\(name).png")
    }
    guard svg, path.extension?.lowercased() != "svg" else { return [path] }
    var vector = path
    vector.extension = "svg"
    return [path, vector]
  }
}

/// The run that a command looks at.
struct RunOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("A run's folder, or one of its checkpoints.", valueName: "run"))
  var folder: String

  @Option(help: "Use the checkpoint after this many steps instead of the newest.")
  var step: Int?

  @Option(
    help:
      "Folder of the data set's files (default: where the run had them, or where they are usually found)."
  )
  var data: String?

  @Option(help: "Threads.")
  var threads = 1

  func validate() throws {
    guard threads > 0 else {
      throw ValidationError("--threads: expected at least 1, found \(threads)")
    }
  }
}
