import Foundation
import LatheFiles
import Testing

/// Programmer's mistakes say what they were, in release builds too.
@Suite struct RequireTests {
  @Test func messageIsPrinted() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { require(1 > 2, "one is not above two") }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("one is not above two"))
  }

  /// Swift's own traps drop their messages in release builds.
  @Test func sourcesUseNoOtherTrap() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(components: "..", "..", "Sources").standardized
    let traps = /\b(precondition|preconditionFailure|fatalError|assert|assertionFailure)\(/
    var found: [String] = []
    var read = 0
    for path in try FileManager.default.subpathsOfDirectory(atPath: sources.path)
    where path.hasSuffix(".swift") && path != "LatheFiles/Require.swift" {
      let text = try String(contentsOf: sources.appending(path: path), encoding: .utf8)
      read += 1
      if text.contains(traps) { found.append(path) }
    }
    #expect(read > 100)
    #expect(found == [])
  }
}
