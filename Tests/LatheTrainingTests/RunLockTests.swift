import Foundation
import LatheFiles
import LatheTraining
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// What was said while a lock was taken.
private final class Notes { var lines: [String] = [] }

@Suite struct RunLockTests {
  let scratch: Scratch
  var file: FilePath { scratch.path.appending(".lock") }

  init() throws { scratch = try Scratch() }

  private func lock(_ notes: Notes? = nil) throws -> RunLock {
    try RunLock(folder: scratch.path, patience: .seconds(1)) { line in
      notes?.lines.append(line)
    }
  }

  @Test func aSecondWriterIsToldWhoHasTheRun() throws {
    let first = try lock()
    let error = fileError { try lock() }
    #expect(error?.kind == .unwritable)
    #expect(error?.found == "process \(getpid()) on \(ProcessIdentity.own.host)")
    withExtendedLifetime(first) {}
  }

  @Test func aRunThatHasEndedIsFree() throws {
    _ = try lock()
    let notes = Notes()
    _ = try lock(notes)
    #expect(notes.lines == [])
    #expect(try bytes(of: file) == [])
  }

  /// A lock for reading would keep the run's owner out, so the lock file is for writers only.
  @Test(arguments: [nil, 0o644, 0o664] as [mode_t?]) func whoMayOnlyReadCannotLock(mode: mode_t?)
    throws
  {
    if let mode {
      try write([], to: file)
      #expect(chmod(file.string, mode) == 0)
    }
    let taken = try lock()
    var status = stat()
    #expect(stat(file.string, &status) == 0)
    let (read, write) = (status.st_mode & 0o444, status.st_mode & 0o222)
    #expect(read == write << 1, "mode \(String(status.st_mode & 0o777, radix: 8))")
    #expect(mode != 0o664 || write == 0o220)
    withExtendedLifetime(taken) {}
  }

  /// What a process of this machine left that was killed, or a copy of a run's folder.
  @Test(arguments: [4_194_305, 1]) func whatACrashLeftIsTakenOver(process: Int) throws {
    let own = ProcessIdentity.own
    let former = ProcessIdentity(host: "here", number: process, start: 1, machine: own.machine)
    try write(Array(former.line.utf8), to: file)
    let notes = Notes()
    let taken = try lock(notes)
    #expect(notes.lines.count == 1 && notes.lines[0].contains("process \(process) on here"))
    #expect(try String(decoding: bytes(of: file), as: UTF8.self) == own.line)
    withExtendedLifetime(taken) {}
  }

  private let far = ProcessIdentity(host: "far", number: 7, start: 1, machine: "00000000")

  @Test func anotherMachineIsGivenTimeForASignOfLife() throws {
    try write(Array(far.line.utf8), to: file)
    let notes = Notes()
    _ = try lock(notes)
    #expect(notes.lines.count == 2 && notes.lines[1].contains("no sign of life"))
  }

  @Test func anotherMachineThatGivesASignOfLifeHasTheRun() throws {
    try write(Array(far.line.utf8), to: file)
    let isDone = Mutex(false)
    let path = file
    Thread.detachNewThread {
      while !isDone.withLock({ $0 }) {
        usleep(100_000)
        utimes(path.string, nil)
      }
    }
    let error = fileError { try lock() }
    isDone.withLock { $0 = true }
    #expect(error?.found == "process 7 on far")
  }

  @Test func aLinkIsNoLock() throws {
    let other = scratch.path.appending("other")
    try write([1], to: other)
    #expect(symlink(other.string, file.string) == 0)
    #expect(fileError { try lock() }?.kind == .unwritable)
    #expect(try bytes(of: other) == [1])
  }
}
