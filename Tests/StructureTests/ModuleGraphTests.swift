import Testing

/// The modules in their order: each imports only those before it.
@Suite struct ModuleGraphTests {
  private static let order = [
    "BuildCommit", "LatheFiles", "LatheKernels", "LatheTensors", "LatheNN", "LatheData",
    "LatheModels",
    "LatheMetrics", "LatheDistributed", "LatheTraining", "LatheExport",
    "LatheReports", "LatheCommand", "lathe",
  ]

  /// Imports of `file` that do not stand before its module.
  private func wrongImports(_ file: SourceFiles.File) -> [String] {
    guard let place = Self.order.firstIndex(of: file.module) else { return [] }
    return file.lines.compactMap { line in
      guard line.contains("import "),
        let match = line.firstMatch(of: #/^(?:@\w+ |public |package )*import (\w+)/#),
        let imported = Self.order.firstIndex(of: String(match.1)), imported >= place
      else { return nil }
      return "\(file.path): \(line)"
    }
  }

  @Test func modulesImportOnlyThoseBeforeThem() throws {
    let files = try SourceFiles.all()
    #expect(files.count > 100)
    #expect(files.flatMap(wrongImports) == [])
  }

  @Test func everyModuleOfOursIsInTheOrder() throws {
    let modules = Set(try SourceFiles.all().map(\.module))
    #expect(modules == Set(Self.order))
  }

  @Test func anImportUpwardsIsFound() {
    let file = SourceFiles.File(
      module: "LatheNN", path: "Sources/LatheNN/X.swift",
      lines: ["import LatheTensors", "import LatheTraining", "import Foundation"])
    #expect(wrongImports(file) == ["Sources/LatheNN/X.swift: import LatheTraining"])
  }
}
