import LatheFiles
import Glibc
import SystemPackage

// Goals, in order:
// 1. At every moment, whatever fails, each `step-…` folder is complete and the last one stays.
// 2. What a crash leaves behind is found and repaired by the next start.
// 3. Nothing but POSIX rename: network file systems have no exchange of two names.
//
// Names: `.step-000123.MACHINE-PID-RANDOM.tmp` is being written or removed; one that ends in
// `.aside` is the former checkpoint of a step while its successor takes its name. Former versions
// called them `.step-000123.tmp-PID` and `.step-000123.aside-PID`.

/// The folder that holds a run's checkpoints, one folder `step-000123` each.
public struct CheckpointStore: Sendable {
  /// The folder, `runs/NAME/checkpoints`.
  public let folder: FilePath
  /// How many checkpoints stay, the newest ones; `nil` in a store that only reads.
  public let keep: Int?

  /// A store that writes: makes the folder if need be and clears up after an earlier crash.
  ///
  /// Only one process may write to a folder at a time.
  ///
  /// - Throws: `.unwritable` if the folder cannot be made or written to.
  public init(folder: FilePath, keep: Int) throws(FileError) {
    require(keep >= 1, "CheckpointStore: keep is \(keep), must be at least 1")
    self.folder = folder
    self.keep = keep
    try FileSystem.makeFolders(folder)
    try FileSystem.call("write to", folder) { Int(access(folder.string, W_OK | X_OK)) }
    try recover()
  }

  /// A store that only reads and changes nothing, so that another process may be writing.
  public init(reading folder: FilePath) {
    self.folder = folder
    keep = nil
  }

  /// The folder of the checkpoint after `step` steps, whether there is one or not.
  public func path(step: Int) -> FilePath { folder.appending(Self.name(step)) }

  /// Writes a checkpoint: it appears under its name whole or not at all.
  ///
  /// `body` writes files into the temporary folder that it is given. They are synced and the folder
  /// is renamed, taking the place of an earlier checkpoint of the same step. Then older checkpoints
  /// go, except the newest `keep` up to this step and, unless it is 0, those of multiples of
  /// `keepEvery`.
  ///
  /// - Throws: `FileError.unwritable` with the system's reason, or what `body` throws. The
  ///   checkpoints there were are still there.
  public func write(
    step: Int, keepEvery: Int = 0, _ body: (FilePath) throws -> Void
  ) throws {
    guard let keep else { trap("CheckpointStore: opened for reading") }
    require(step >= 0, "CheckpointStore: step is \(step)")
    let temporary = try FileSystem.temporaryPath(beside: path(step: step))
    do {
      try FileSystem.makeFolder(temporary)
      try body(temporary)
      try FileSystem.syncTree(temporary)
      try publish(temporary, step)
    } catch {
      FileSystem.remove(temporary)
      throw error
    }
    try removeOlder(than: step, keep: keep, keepEvery: keepEvery)
  }

  /// The steps of the complete checkpoints, ascending; none if there is no folder.
  ///
  /// - Throws: `.missing` if the folder is there but cannot be read.
  public func steps() throws(FileError) -> [Int] {
    guard FileSystem.exists(folder) else { return [] }
    return try FileSystem.names(in: folder, failure: .missing)
      .compactMap(Self.step(ofName:))
      .filter { FileSystem.isFolder(path(step: $0), followingLinks: false) }
      .sorted()
  }

  /// A checkpoint that was found intact.
  public struct Found<Value> {
    public let path: FilePath
    public let step: Int
    /// What was read from it.
    public let value: Value
    /// Newer ones that are damaged, newest first.
    public let skipped: [(path: FilePath, error: FileError)]
  }

  /// The newest checkpoint that `read` finds intact; `nil` if there is no checkpoint at all.
  ///
  /// - Throws: The newest checkpoint's `FileError` if none is intact; an error of another type
  ///   that `read` throws, at once.
  public func latest<Value>(reading read: (FilePath) throws -> Value) throws -> Found<Value>? {
    var skipped: [(path: FilePath, error: FileError)] = []
    for step in try steps().reversed() {
      let path = path(step: step)
      do {
        return Found(path: path, step: step, value: try read(path), skipped: skipped)
      } catch let error as FileError {
        skipped.append((path, error))
      }
    }
    if let newest = skipped.first { throw newest.error }
    return nil
  }
}

// MARK: Names

extension CheckpointStore {
  private static func name(_ step: Int) -> String {
    let digits = String(step)
    return "step-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  /// The step of a name that ``name(_:)`` could have given.
  private static func step(ofName name: String) -> Int? {
    guard let step = Int(name.dropFirst(5)), step >= 0, self.name(step) == name else { return nil }
    return step
  }
}

// MARK: Writing

extension CheckpointStore {
  /// Gives a complete temporary folder its name.
  private func publish(_ temporary: FilePath, _ step: Int) throws(FileError) {
    let target = path(step: step)
    let aside = try FileSystem.temporaryPath(beside: target, "aside")
    let replaces = FileSystem.exists(target)
    if replaces { try FileSystem.rename(target, to: aside) }
    do {
      try FileSystem.rename(temporary, to: target)
    } catch {
      if replaces { try? FileSystem.rename(aside, to: target) }
      throw error
    }
    try FileSystem.sync(folder)
    FileSystem.remove(aside)
  }

  /// Checkpoints of later steps stay: they are there if training went back to an earlier one.
  private func removeOlder(
    than step: Int, keep: Int, keepEvery: Int
  ) throws(FileError) {
    let upToNow = try steps().filter { $0 <= step }
    for old in upToNow.dropLast(keep) where keepEvery == 0 || old % keepEvery != 0 {
      try remove(step: old)
    }
  }

  /// Removes the checkpoint of a step: it is there whole or not at all.
  ///
  /// - Throws: `.unwritable` with the system's reason.
  public func remove(step: Int) throws(FileError) {
    let doomed = try FileSystem.temporaryPath(beside: path(step: step))
    try FileSystem.rename(path(step: step), to: doomed)
    FileSystem.remove(doomed)
  }

  /// Restores what a crash left aside without a successor, and removes everything else it left.
  private func recover() throws(FileError) {
    for name in try FileSystem.names(in: folder, failure: .unwritable) {
      guard let (step, isAside) = Self.leftover(name) else { continue }
      let path = folder.appending(name)
      if isAside, !FileSystem.exists(self.path(step: step)) {
        try FileSystem.rename(path, to: self.path(step: step))
      } else {
        FileSystem.remove(path)
      }
    }
  }

  private static func leftover(_ name: String) -> (step: Int, isAside: Bool)? {
    if let name = TemporaryName(name), let step = step(ofName: name.target) {
      return (step, name.kind == "aside")
    }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].isEmpty, let step = step(ofName: String(parts[1])) else {
      return nil
    }
    let mark = parts[2].split(separator: "-")
    guard mark.count == 2, Int(mark[1]) != nil, ["tmp", "aside"].contains(mark[0]) else {
      return nil
    }
    return (step, mark[0] == "aside")
  }
}
