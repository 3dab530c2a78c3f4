import Testing

/// What belongs to the command alone: the libraries leave the process to the program that uses
/// them.
@Suite struct LibraryTests {
  private var process: Regex<(Substring, Substring?, Substring?)> {
    #/
      (^|[^.\w])(exit|_exit|abort|atexit|signal|sigaction|alarm|getenv)\b\ *[({]
      |processInfo\.environment
    /#
  }

  @Test func librariesDoNotOwnTheProcess() throws {
    let libraries = try SourceFiles.all().filter {
      ["LatheDistributed", "LatheTraining"].contains($0.module)
    }
    #expect(libraries.count > 20)
    #expect(libraries.flatMap { $0.lines(with: process) } == [])
  }

  @Test(arguments: [
    "exit(1)", "  atexit { }; signal(SIGINT, SIG_DFL)", "x = getenv(\"HOME\")",
    "let all = ProcessInfo.processInfo.environment[\"PATH\"]",
  ])
  func aLineThatDoesIsFound(_ line: String) {
    let file = SourceFiles.File(module: "LatheTraining", path: "X.swift", lines: [line[...]])
    #expect(file.lines(with: process).count == 1)
  }

  @Test(arguments: ["// exit(1)", "semaphore.signal()", "let queue = 1  // then abort()"])
  func aLineThatDoesNotIsPassedOver(_ line: String) {
    let file = SourceFiles.File(module: "LatheTraining", path: "X.swift", lines: [line[...]])
    #expect(file.lines(with: process) == [])
  }
}
