import Foundation
import TestSupport
import Testing

/// The version names the commit of the sources, however these came here.
@Suite struct VersionTests {
  private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  /// Runs commands in a folder with the sources of a small package, in `package`, and gives what
  /// `commit.sh` writes afterwards.
  private func commit(_ commands: String, stamp: String = "$Format:%H$") throws -> String {
    var text = ""
    try withFolder { folder in
      let script = """
        set -e
        cd '\(folder)'
        mkdir -p 'a b'\\''"/Sources/BuildCommit'
        cd 'a b'\\''"'
        cp '\(Self.repository)/Sources/BuildCommit/commit.sh' Sources/BuildCommit
        printf '%s\\n' "$STAMP" >Sources/BuildCommit/commit.txt
        echo 'let x = 1' >Sources/x.swift
        echo manifest >Package.swift
        export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
        \(commands)
        sh Sources/BuildCommit/commit.sh "$PWD" "$PWD/../out.swift"
        cat ../out.swift
        """
      let result = try runProcess(
        "bash", ["-c", script], environment: ["STAMP": stamp, "GIT_DIR": nil], timeout: 60)
      #expect(result.status == 0, "\(result)")
      let found = result.output.firstMatch(of: #/commitOfSources\(\) -> String \{ "(.*)" \}/#)
      text = String(try #require(found).1)
    }
    return text
  }
  private let repository = "git init -q; git add .; git commit -q -m x"

  @Test func aRepositorysCommit() throws {
    let clean = try commit(repository)
    #expect(clean.wholeMatch(of: #/[0-9a-f]{12}/#) != nil, "\(clean)")
    let dates = "export GIT_AUTHOR_DATE='2001-01-01 00:00Z' GIT_COMMITTER_DATE='2001-01-01 00:00Z'"
    let changed = try ["2", "3"].map {
      try commit("\(dates); \(repository); echo 'let x = \($0)' >Sources/x.swift")
    }
    #expect(changed[0].contains(#/^[0-9a-f]{12}\.changed-[0-9a-f]{8}$/#), "\(changed)")
    #expect(changed[0].prefix(12) == changed[1].prefix(12) && changed[0] != changed[1])
    let added = try commit("\(repository); echo 'let y = 1' >Sources/y.swift")
    #expect(added.contains(".changed-"))
    #expect(try !commit("\(repository); echo x >README").contains("changed"))
  }

  /// An archive has the commit in a file; a folder without either, and one within another project's
  /// repository, has the digest of its sources.
  @Test func withoutARepository() throws {
    #expect(try commit("", stamp: String(repeating: "0123456789", count: 4)) == "012345678901")
    let plain = try commit("")
    #expect(plain.contains(#/^sources-[0-9a-f]{8}$/#), "\(plain)")
    #expect(try commit("echo 2 >Sources/x.swift") != plain)
    #expect(try commit("(cd ..; git init -q; git add .; git commit -q -m x)") == plain)
    #expect(try commit("git() { return 1; }; export -f git; PATH=/bin:$PATH") == plain)
  }

  /// A file that says so already is left alone, so that nothing is built again.
  @Test func theFileIsWrittenOnce() throws {
    try withFolder { folder in
      let arguments = [
        "\(Self.repository)/Sources/BuildCommit/commit.sh", Self.repository, "\(folder)/out.swift",
      ]
      let file = URL(fileURLWithPath: "\(folder)/out.swift")
      _ = try runProcess("sh", arguments, timeout: 60)
      let text = try String(contentsOf: file, encoding: .utf8)
      let old = Date(timeIntervalSince1970: 1_000_000_000)
      try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: file.path)
      _ = try runProcess("sh", arguments, timeout: 60)
      let date = try FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate]
      #expect(date as? Date == old)
      #expect(text.contains("@inline(never) func commitOfSources() -> String"))
    }
  }

  @Test func theProgramSaysIt() throws {
    let result = try runProcess(builtExecutable("lathe"), ["--version"], timeout: 60)
    let lines = result.output.split(separator: "\n")
    #expect(lines[0].wholeMatch(of: #/\d+\.\d+\.\d+\+[0-9a-z.-]+/#) != nil, "\(result)")
    for part in ["kernels ", "BLAS ", "OpenBLAS", "core ", "MPI "] {
      #expect(lines.dropFirst().joined().contains(part), "\(part): \(result)")
    }
  }
}
