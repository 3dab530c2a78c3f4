import Foundation
import PackagePlugin

/// Writes a Swift file with the commit of the package's sources, again whenever one of them or the
/// commit has changed. `Sources/BuildCommit/commit.sh` does it.
@main struct CommitWriter: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let root = context.package.directoryURL
    let script = target.directoryURL.appending(path: "commit.sh")
    let output = context.pluginWorkDirectoryURL.appending(path: "commit.swift")
    return [
      .buildCommand(
        displayName: "Commit of the sources", executable: URL(filePath: "/bin/sh"),
        arguments: [script.path, root.path, output.path],
        inputFiles: [script] + gitFiles(root) + sources(root), outputFiles: [output])
    ]
  }

  /// Files of git's that change with the commit; none where there is no repository.
  private func gitFiles(_ root: URL) -> [URL] {
    let link = root.appending(path: ".git")
    var folder = link
    // In a further work tree it is a file that names the folder.
    if let text = try? String(contentsOf: link, encoding: .utf8), text.hasPrefix("gitdir: ") {
      let path = text.dropFirst("gitdir: ".count).prefix { !$0.isNewline }
      folder = URL(filePath: String(path), relativeTo: root)
    }
    return ["HEAD", "logs/HEAD"].map { folder.appending(path: $0) }
      .filter { FileManager.default.fileExists(atPath: $0.path) }
  }

  private func sources(_ root: URL) -> [URL] {
    let found = FileManager.default.enumerator(
      at: root.appending(path: "Sources"), includingPropertiesForKeys: [.isRegularFileKey])
    let files = (found?.compactMap { $0 as? URL } ?? []).filter {
      (try? $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true
    }
    return files + [root.appending(path: "Package.swift")]
  }
}
