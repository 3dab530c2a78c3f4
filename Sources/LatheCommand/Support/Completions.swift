import ArgumentParser
import LatheFiles
import LatheModels
import LatheTraining
import SystemPackage

// What a shell offers for a word that is being typed. Shells keep what begins with it.

extension CompletionKind {
  static let models = words { Registered.models.entries.map(\.name) }
  static let datasets = words { Registered.datasets.datasets.map(\.name) }
  static let networks = words { ArchitectureRegistry.current.names }
  static let recipes = CompletionKind.file(extensions: ["yml", "yaml"])
  static let runs = custom { _, _, typed in offeredRuns(typed) }

  /// The words that a setting of a run may be, or files where it names one.
  static func setting(_ name: String) -> CompletionKind {
    switch name {
    case "data", "cache", "timeline": return .file()
    case "features": return words { Registered.features.entries.flatMap(\.forms) }
    default:
      let words = RunConfiguration.list[name]?.allowedValues ?? []
      return words.isEmpty ? .default : .list(words)
    }
  }

  /// What the program's registries have when the shell asks.
  private static func words(_ names: @escaping @Sendable () -> [String]) -> CompletionKind {
    custom { _, _, _ in names() }
  }
}

/// Runs and folders where the typed path leads; without a folder in it, also the runs in `runs`.
private func offeredRuns(_ typed: String) -> [String] {
  let start = typed.lastIndex(of: "/").map { String(typed[...$0]) } ?? ""
  let own = folders(in: start.isEmpty ? "." : start).map { start + $0 }
  guard start.isEmpty else { return own }
  return folders(in: "runs").map { "runs/" + $0 }.filter(isRun) + own.filter(isRun)
}

private func folders(in folder: String) -> [String] {
  let names = (try? FileSystem.names(in: FilePath(folder), failure: .missing)) ?? []
  return names.filter { !$0.hasPrefix(".") && FileSystem.isFolder(FilePath(folder).appending($0)) }
    .sorted()
}

private func isRun(_ path: String) -> Bool {
  let folder = FilePath(path)
  return FileSystem.isFile(folder.appending(Recipe.fileName))
    || FileSystem.isFolder(folder.appending("checkpoints"))
}

extension Option where Value == String? {
  /// A setting of a run, which says of itself what it means and may be.
  init(setting name: String) {
    self.init(help: .setting(name), completion: .setting(name))
  }
}
