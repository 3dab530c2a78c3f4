import Foundation
import LatheFiles
import SystemPackage

/// A picture of one cell, or of several together, that a command of lathe draws.
struct CellPicture {
  let part: ReportPart
  /// The cells that can be in it, at least one.
  let group: [CellRun]

  /// Those that are trained: what the picture shows.
  var runs: [CellRun] { group.filter(\.isTrained) }

  /// The pictures of a part of a report: one for each cell or, with `together`, one for the cells
  /// that differ in these axes alone, in the order of the grid.
  static func all(_ part: ReportPart, of runs: [CellRun]) -> [CellPicture] {
    let own = runs.filter { $0.cell.isOne(of: part.cells) }
    func others(_ run: CellRun) -> [String: String] {
      guard !part.together.isEmpty else { return ["": run.cell.runName] }
      return run.cell.axes.filter { !part.together.contains($0.key) }.mapValues(\.text)
    }
    return own.map(others).uniqued.map { place in
      CellPicture(part: part, group: own.filter { others($0) == place })
    }
  }

  /// The caption in a report.
  var caption: String { name + (part.caption.map { ". \($0)" } ?? "") }

  /// The cell, or what cells have in common and in which they differ: `mnist: vae, rae`.
  var name: String {
    let cell = group[0].cell
    guard !part.together.isEmpty else { return cell.name }
    let common = cell.axes.keys.filter { !part.together.contains($0) }
    let members = runs.map { run in part.together.map(run.cell.place).joined(separator: " ") }
    return common.sorted().map(cell.place).joined(separator: ", ") + ": "
      + members.joined(separator: ", ")
  }

  /// Of one cell in its run; of several in `figures`, named by command and runs.
  var file: FilePath {
    let words = part.command.map { $0.drop { $0 == "-" } }.joined(separator: "-").asFileName
    guard !part.together.isEmpty else {
      return group[0].run.appending("pictures").appending("\(words).png")
    }
    let names = runs.map(\.cell.runName).joined(separator: "\n")
    let digest = SHA256.hexadecimal(SHA256.digest(of: Array(names.utf8))).prefix(8)
    return group[0].place.folder.appending("figures").appending("\(words)-\(digest).png")
  }

  var arguments: [String] {
    let common = group[0].data + ["--threads", "\(group[0].options.threads)"]
    return [part.command[0]] + runs.map(\.run.string) + part.command.dropFirst()
      + ["--out", file.string] + common
  }

  /// Whether it is there, and no older than what it shows.
  var isDrawn: Bool {
    guard let drawn = modified(file) else { return false }
    return runs.allSatisfy { modified($0.mark).map { $0 <= drawn } ?? false }
  }

  private func modified(_ path: FilePath) -> Date? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path.string)
    return attributes?[.modificationDate] as? Date
  }

  /// The ranks that the command can use: one, unless all of them work on its figure.
  var ranks: Int {
    let command = Lathe.configuration.subcommands.first {
      $0._commandName == part.command[0]
    }
    return command is any SharedFigure.Type ? group[0].options.ranks : 1
  }
}
