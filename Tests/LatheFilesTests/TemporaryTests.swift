import Glibc
import LatheFiles
import SystemPackage
import TestSupport
import Testing

@Suite struct TemporaryTests {
  let scratch: Scratch
  var path: FilePath { scratch.path.appending("a.b.json") }

  init() throws { scratch = try Scratch() }

  @Test func aNameSaysWhatItIsToBeAndWhoseItIs() throws {
    let name = TemporaryName(for: "a.b.json", "part")
    #expect(TemporaryName(name.text) == name)
    #expect(name.target == "a.b.json" && name.process == Int(getpid()) && name.isInUse == true)
    #expect(name != TemporaryName(for: "a.b.json", "part"))
    for other in ["", ".", "a", ".a.tmp", ".a.x-1-b.tmp", ".a.00000000-x-b.tmp"] {
      #expect(TemporaryName(other) == nil, "\(other)")
    }
    #expect(TemporaryName(for: String(repeating: "é", count: 255)).text.utf8.count < 255)
  }

  @Test func aNameIsOneComponentOfAPath() {
    let cases = [
      ("Smiling", "Smiling"), ("../../x", "-.-..-x"), ("a/b\n\u{1B}c", "a-b--c"), ("é 5", "é-5"),
    ]
    for (text, name) in cases { #expect(text.asFileName == name && text.asFileName.isFileName) }
    for text in ["", ".", "..", "a/b", ".a", "a\0", "a\n", String(repeating: "a", count: 256)] {
      #expect(!text.isFileName, "\(text)")
    }
  }

  @Test func onlyWhatNobodyIsWritingIsLeftOver() throws {
    let own = TemporaryName(for: "mine")
    let machine = ProcessIdentity.own.machine
    let dead = ".theirs.\(machine)-4194305-a.tmp"
    let elsewhere = ".far.00000000-1-a.tmp"
    let old = ".old.00000000-1-a.tmp"
    for name in [own.text, dead, elsewhere, old, ".other.tmp", "\(dead).part"] {
      try write([1], to: scratch.path.appending(name))
    }
    var day = timeval(tv_sec: time(nil) - 90_000, tv_usec: 0)
    withUnsafePointer(to: &day) { first in
      let times = [first.pointee, first.pointee]
      #expect(utimes(scratch.path.appending(old).string, times) == 0)
    }
    FileSystem.removeLeftovers(in: scratch.path)
    #expect(
      try names(in: scratch.path) == [own.text, elsewhere, ".other.tmp", "\(dead).part"].sorted())
  }

  @Test func aNewFileIsNeverOneThatIsThere() throws {
    try write([1], to: path)
    let error = fileError { () throws(FileError) in _ = try OpenFile(creating: path) }
    #expect(error?.kind == .unwritable && error?.systemError == .fileExists)
    let link = scratch.path.appending("link")
    #expect(symlink(scratch.path.appending("away").string, link.string) == 0)
    #expect(fileError { () throws(FileError) in _ = try OpenFile(creating: link) } != nil)
    #expect(fileError { () throws(FileError) in _ = try OpenFile(appending: link) } != nil)
    #expect(try names(in: scratch.path) == ["a.b.json", "link"])
  }

  @Test func anOwnFileHasOneName() throws {
    try write([1], to: path)
    #expect(fileError { () throws(FileError) in _ = try OpenFile(owned: path) } == nil)
    let second = scratch.path.appending("second")
    #expect(Glibc.link(path.string, second.string) == 0)
    #expect(fileError { () throws(FileError) in _ = try OpenFile(owned: path) } != nil)
  }

  /// Opening a pipe for reading would otherwise wait for a writer.
  @Test func aPipeIsNoFile() throws {
    #expect(mkfifo(path.string, 0o600) == 0)
    let error = fileError { () throws(FileError) in try FileSystem.contents(of: path) }
    #expect(error?.kind == .missing && error?.found == "a FIFO")
  }

  @Test func aLockEndsWithItsFile() throws {
    let other = try OpenFile(appending: path)
    do {
      let first = try OpenFile(appending: path)
      guard first.lock() != .unsupported else { return }
      #expect(other.lock() == .held)
    }
    #expect(other.lock() == .taken)
  }

  @Test func appendedLinesAreWhole() throws {
    let one = try OpenFile(appending: path)
    let two = try OpenFile(appending: path)
    try one.append([1, 10])
    try two.append([2, 10])
    try one.append([3, 10])
    #expect(try bytes(of: path) == [1, 10, 2, 10, 3, 10])
  }

  @Test func aProcessIsToldFromOthers() throws {
    let own = ProcessIdentity.own
    #expect(own.state == .running && ProcessIdentity(line: own.line) == own)
    let before = ProcessIdentity(
      host: own.host, number: own.number, start: own.start - 1, machine: own.machine)
    #expect(before.state == .ended)
    let away = ProcessIdentity(host: "far", number: 1, start: 1, machine: "00000000")
    #expect(away.state == .unknown)
    for text in ["", "a b c d", "a 1 2", "\u{1B}[2J 1 2 m", "a -1 2 m"] {
      #expect(ProcessIdentity(line: text) == nil)
    }
  }
}
