import LatheFiles
import LatheTraining
import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

@Suite struct CheckpointStoreTests {
  let scratch: Scratch
  var folder: FilePath { scratch.path.appending("runs/a/checkpoints") }

  init() throws { scratch = try Scratch() }

  struct Interruption: Error {}

  @Test func aCheckpointIsAFolderWithWhatTheBodyWrote() throws {
    let store = try CheckpointStore(folder: folder, keep: 3)
    #expect(try store.steps() == [])
    try store.write(step: 123) { try mark($0, 1) }
    try store.write(step: 12_345_678) { try mark($0, 2) }
    #expect(try names(in: folder) == ["step-000123", "step-12345678"])
    #expect(try store.steps() == [123, 12_345_678])
    #expect(try value(store.path(step: 123)) == 1)
    #expect(try value(store.path(step: 12_345_678)) == 2)
  }

  @Test func theNewestStayAndThoseAskedFor() throws {
    let store = try CheckpointStore(folder: folder, keep: 2)
    for step in [10, 20, 30, 40, 50] {
      try store.write(step: step, keepEvery: 20) { try mark($0, Float(step)) }
    }
    #expect(try store.steps() == [20, 40, 50])
    #expect(try names(in: folder).count == 3)
    try store.write(step: 60) { try mark($0, 60) }
    #expect(try store.steps() == [50, 60])
  }

  @Test func afterGoingBackTheOneJustWrittenStays() throws {
    let store = try CheckpointStore(folder: folder, keep: 2)
    for step in [100, 200, 300] { try store.write(step: step) { try mark($0, 0) } }
    try store.write(step: 150) { try mark($0, 0) }
    #expect(try store.steps() == [150, 200, 300])
    try store.write(step: 300) { try mark($0, 7) }
    #expect(try store.steps() == [200, 300])
    #expect(try value(store.path(step: 300)) == 7)
  }

  @Test func aBodyThatThrowsChangesNothing() throws {
    let store = try CheckpointStore(folder: folder, keep: 1)
    try store.write(step: 5) { try mark($0, 5) }
    for step in [5, 6] {
      #expect(throws: Interruption.self) {
        try store.write(step: step) {
          try mark($0, 6)
          throw Interruption()
        }
      }
      #expect(try names(in: folder) == ["step-000005"])
      #expect(try value(store.path(step: 5)) == 5)
    }
  }

  @Test func otherNamesAreNoCheckpoints() throws {
    let store = try CheckpointStore(folder: folder, keep: 1)
    for name in ["step-1", "step-0000001", "step--00001", "step-00000x", "best", ".step-000001.x"] {
      try FileManager.default.createDirectory(
        atPath: folder.appending(name).string, withIntermediateDirectories: false)
    }
    try write([1], to: folder.appending("step-000007"))
    #expect(try store.steps() == [])
    _ = try CheckpointStore(folder: folder, keep: 1)
    #expect(try names(in: folder).count == 7)
  }

  @Test func readingChangesNothing() throws {
    #expect(try CheckpointStore(reading: folder).steps() == [])
    #expect(try CheckpointStore(reading: folder).latest { _ in } == nil)
    let temporary = folder.appending(".step-000001.tmp-1")
    try FileManager.default.createDirectory(
      atPath: temporary.string, withIntermediateDirectories: true)
    #expect(try CheckpointStore(reading: folder).steps() == [])
    #expect(try names(in: folder) == [".step-000001.tmp-1"])
  }
}

// MARK: The newest intact one

extension CheckpointStoreTests {
  @Test func aDamagedLatestFallsBackToTheOneBefore() throws {
    let store = try CheckpointStore(folder: folder, keep: 9)
    for step in [1, 2, 3] { try store.write(step: step) { try mark($0, Float(step)) } }
    let newest = try #require(try store.latest(reading: { try value($0) }))
    #expect(newest.step == 3)
    #expect(newest.skipped.isEmpty)

    try damage(store.path(step: 3))
    try FileManager.default.removeItem(
      atPath: store.path(step: 2).appending("model.safetensors").string)
    let found = try #require(try store.latest(reading: { try value($0) }))
    #expect(found.step == 1)
    #expect(found.path == store.path(step: 1))
    #expect(found.skipped.map(\.0) == [store.path(step: 3), store.path(step: 2)])
    #expect(found.skipped.map(\.1.kind) == [.damaged, .missing])

    try damage(store.path(step: 1))
    let error = fileError { _ = try store.latest(reading: { try value($0) }) }
    #expect(error?.kind == .damaged)
    #expect(error?.path == store.path(step: 3).appending("model.safetensors"))
  }

  @Test func anotherErrorOfTheValidationIsNotDamage() throws {
    let store = try CheckpointStore(folder: folder, keep: 9)
    for step in [1, 2] { try store.write(step: step) { try mark($0, Float(step)) } }
    #expect(throws: Interruption.self) { try store.latest { _ in throw Interruption() } }
  }
}

// MARK: Crashes

extension CheckpointStoreTests {
  /// Every state that a crash can leave while step 2 is replaced, and the value step 2 then has.
  @Test(
    arguments: [
      ("tmp half", ["step-000002": 1, ".step-000002.tmp-99": 0], Float(1)),
      ("aside", [".step-000002.aside-99": 1, ".step-000002.tmp-99": 2], 1),
      ("published", [".step-000002.aside-99": 1, "step-000002": 2], 2),
      ("removing", ["step-000002": 2, ".step-000001.tmp-99": 1], 2),
    ] as [(String, [String: Float], Float)])
  func aRestartRepairs(stage: String, folders: [String: Float], value expected: Float) throws {
    for (name, content) in folders {
      let path = folder.appending(name)
      try FileManager.default.createDirectory(
        atPath: path.string, withIntermediateDirectories: true)
      try mark(path, content)
    }
    let store = try CheckpointStore(folder: folder, keep: 1)
    #expect(try names(in: folder) == ["step-000002"], "\(stage)")
    #expect(try value(store.path(step: 2)) == expected, "\(stage)")
  }

  /// Child processes write checkpoint after checkpoint until they are killed; the next goes on.
  @Test func killedAtAnyMomentTheCheckpointsAreIntact() async throws {
    let path = folder.string
    var seen = 0
    for milliseconds in [1, 3, 7, 12, 18, 25, 33, 42, 60, 100] {
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [path = path as String, milliseconds = milliseconds as Int] in
        Thread.detachNewThread {
          usleep(UInt32(1000 * milliseconds))
          kill(getpid(), SIGKILL)
        }
        let store = try CheckpointStore(folder: FilePath(path), keep: 2)
        for round in 0... {
          try store.write(step: round % 5) { try mark($0, Float(round)) }
        }
      }
      let store = try CheckpointStore(folder: folder, keep: 2)
      #expect(try names(in: folder).allSatisfy { $0.hasPrefix("step-") })
      for step in try store.steps() {
        #expect(Int(try value(store.path(step: step))) % 5 == step)
        seen += 1
      }
    }
    #expect(seen > 0)
  }
}

// MARK: Disks that refuse

extension CheckpointStoreTests {
  @Test func aFileInPlaceOfTheFolder() throws {
    try write([1], to: scratch.path.appending("runs"))
    let error = fileError { _ = try CheckpointStore(folder: folder, keep: 1) }
    #expect(error?.kind == .unwritable)
    #expect(error?.systemError == .fileExists || error?.systemError == .notDirectory)
    let proc = fileError { _ = try CheckpointStore(folder: "/proc/lathe/x", keep: 1) }
    #expect(proc?.kind == .unwritable)
    #expect(proc?.path == "/proc/lathe")
  }

  /// The system refuses the rest of a file over the limit, as a full disk would.
  @Test func aFileThatCannotBeFinishedLeavesTheFormerOnes() async throws {
    let path = folder.string
    await #expect(processExitsWith: .success) { [path = path as String] in
      signal(SIGXFSZ, SIG_IGN)
      let store = try CheckpointStore(folder: FilePath(path), keep: 1)
      try store.write(step: 1) { try mark($0, 1) }
      var limit = rlimit(rlim_cur: 65536, rlim_max: 65536)
      guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(1) }
      let error = fileError {
        try store.write(step: 2) { try mark($0, 2, count: 100_000) }
      }
      guard error?.kind == .unwritable, error?.systemError == .fileTooLarge else { exit(2) }
    }
    #expect(try names(in: folder) == ["step-000001"])
    #expect(try value(folder.appending("step-000001")) == 1)
  }

  @Test(.enabled(if: geteuid() == 0, "needs a small file system, which only root can mount"))
  func aFullDiskLeavesTheFormerOnesAndSaysHowMuchIsMissing() throws {
    let disk = try SmallDisk(at: scratch.path.appending("disk"), kilobytes: 256)
    let store = try CheckpointStore(folder: disk.path.appending("c"), keep: 1)
    try store.write(step: 1) { try mark($0, 1) }
    let error = try #require(
      fileError { try store.write(step: 2) { try mark($0, 2, count: 100_000) } })
    #expect(error.kind == .unwritable)
    #expect(error.systemError == .noSpace)
    #expect(error.expected == "400192 bytes")
    #expect(error.description.contains("No space left on device (400192 bytes needed, "))
    #expect(try names(in: store.folder) == ["step-000001"])
    #expect(try value(store.path(step: 1)) == 1)
    try disk.makeReadOnly()
    let refused = fileError { try store.write(step: 3) { try mark($0, 3) } }
    #expect(refused?.systemError == .readOnlyFileSystem)
    let atStart = fileError { _ = try CheckpointStore(folder: store.folder, keep: 1) }
    #expect(atStart?.kind == .unwritable)
    #expect(atStart?.systemError == .readOnlyFileSystem)
    #expect(try CheckpointStore(reading: store.folder).steps() == [1])
  }
}

/// A memory file system of a given size, mounted as long as the reference to it.
private final class SmallDisk {
  struct CannotMount: Error { let reason: Errno }
  let path: FilePath

  init(at path: FilePath, kilobytes: Int) throws {
    self.path = path
    mkdir(path.string, 0o755)
    try Self.mount(path, 0, "size=\(kilobytes)k")
  }

  func makeReadOnly() throws { try Self.mount(path, UInt(MS_REMOUNT | MS_RDONLY), "") }

  private static func mount(_ path: FilePath, _ flags: UInt, _ options: String) throws {
    guard Glibc.mount("tmpfs", path.string, "tmpfs", flags, options) == 0 else {
      throw CannotMount(reason: Errno(rawValue: errno))
    }
  }

  deinit { umount2(path.string, CInt(MNT_DETACH)) }
}

// MARK: One-value checkpoints

/// Writes a model of `count` equal values.
private func mark(_ folder: FilePath, _ value: Float, count: Int = 1) throws {
  let values = Array(repeating: value, count: count)
  try save(
    [NamedTensor(name: "value", shape: [count], values: values)],
    to: folder.appending("model.safetensors"))
}

private func value(_ folder: FilePath) throws -> Float {
  try Safetensors(reading: folder.appending("model.safetensors")).values("value")[0]
}

/// Flips a bit of the model's last value.
private func damage(_ folder: FilePath) throws {
  let path = folder.appending("model.safetensors")
  var content = try bytes(of: path)
  content[content.count - 1] ^= 1
  try write(content, to: path)
}
