import Testing

/// Tests end: whatever waits has a deadline.
@Suite struct WaitTests {
  /// A loop that only sleeps or has an empty body.
  private var waitingLoop: Regex<(Substring, Substring)> {
    #/\bwhile ([^\n]*)\{\s*(?:(?:usleep|sleep|Thread\.sleep|sched_yield)\([^\n]*\))?\s*\}/#
  }

  /// A call that waits for a process, a pipe or another thread for as long as it takes.
  private var endlessCall: Regex<Substring> {
    #/\.(?:waitUntilExit|readDataToEndOfFile|wait)\(\)/#
  }

  /// What waits without a deadline, as "path: text".
  private func endlessWaits(_ file: SourceFiles.File) -> [String] {
    let code = file.lines.map(SourceFiles.withoutComment).joined(separator: "\n")
    let loops = code.matches(of: waitingLoop).filter { !$0.1.contains(#/now(\(\))? </#) }
    let found = loops.map(\.0) + code.matches(of: endlessCall).map(\.output)
    return found.map { "\(file.path): \($0)" }
  }

  @Test func noTestWaitsWithoutBound() throws {
    let files = try SourceFiles.all(below: "Tests").filter { $0.module != "StructureTests" }
    #expect(files.count > 20)
    #expect(files.flatMap(endlessWaits) == [])
  }

  @Test(arguments: [
    "while begun.load(ordering: .relaxed) < 2 {}", "while job.isRunning { usleep(500) }",
    "while threads.contains(where: { !$0.isDone }) {\n  usleep(5)\n}",
    "if x { while true { sleep(1) } }",
    "process.waitUntilExit()", "semaphore.wait()",
    "pipe.fileHandleForReading.readDataToEndOfFile()",
  ])
  func anEndlessWaitIsFound(_ code: String) {
    #expect(endlessWaits(file(code)).count == 1)
  }

  @Test(arguments: [
    "while !done && ContinuousClock.now < end {}", "while !done { step() }",
    "while now() < deadline { usleep(500) }", "group.wait(timeout: .now() + 1)",
    "// while true {}",
  ])
  func aWaitWithADeadlineIsPassedOver(_ code: String) {
    #expect(endlessWaits(file(code)) == [])
  }

  private func file(_ code: String) -> SourceFiles.File {
    let lines = code.split(separator: "\n", omittingEmptySubsequences: false)
    return SourceFiles.File(module: "XTests", path: "X.swift", lines: lines)
  }
}
