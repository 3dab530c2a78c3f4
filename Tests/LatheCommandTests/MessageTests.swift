import Foundation
import LatheCommand
import LatheFiles
import LatheNN
import Testing

/// What people get when something is wrong, and how the progress line fits a terminal.
@Suite struct MessageTests {
  private func failure(_ body: () throws -> Void) -> CommandFailure? {
    do { try body() } catch { return CommandFailure(error) }
    return nil
  }

  @Test func errorsOfTheSystemSayWhereAndWhy() {
    let manager = FileManager.default
    let made = failure {
      try manager.createDirectory(atPath: "/proc/zz/a", withIntermediateDirectories: true)
    }
    #expect(made?.status == 73)
    #expect(made?.description.hasPrefix("cannot write /proc/zz") == true)
    let read = failure { _ = try Data(contentsOf: URL(filePath: "/nowhere/file")) }
    #expect(read?.status == 66)
    #expect(read?.description == "cannot read /nowhere/file: No such file or directory")
  }

  @Test func errorsOfDecodersAreWords() {
    struct Numbers: Decodable { let count: Int }
    let decoder = JSONDecoder()
    for text in [#"{"count": "many"}"#, "{}", "{", "[1]"] {
      let found = failure { _ = try decoder.decode(Numbers.self, from: Data(text.utf8)) }
      #expect(found?.status == 65, "\(text)")
      #expect(found?.description.contains("Error") == false, "\(found?.description ?? "")")
    }
    let written = failure { _ = try JSONEncoder().encode(["a": Double.nan]) }
    #expect(written?.status == 65 && written?.description == "a: cannot be written: nan")
  }

  @Test func aWrongSettingIsWrongUsage() {
    let error = SettingError(name: "batch", expected: "a whole number", found: "x")
    #expect(CommandFailure(error).status == 64)
    #expect(CommandFailure(error).description == "batch: expected a whole number, found x")
  }

  @Test func theProgressLineFitsTheTerminal() {
    let losses = (1...5).map { "phase\($0) 0.123\($0)" }
    let whole = ProgressLine.joined("step 1/9", losses, "5 images/s  1 s left", columns: 200)
    #expect(whole == "step 1/9  " + losses.joined(separator: "  ") + "  5 images/s  1 s left")
    for columns in [20, 40, 60, 80] {
      let line = ProgressLine.joined("step 1/9", losses, "5 images/s  1 s left", columns: columns)
      #expect(line.count < columns && line.hasPrefix("step 1/9"), "\(line)")
      if columns == 80 { #expect(line.hasSuffix("…  5 images/s  1 s left")) }
    }
  }
}
