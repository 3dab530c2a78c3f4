import Foundation
import LatheData
import LatheFiles
import Synchronization
import SystemPackage

/// Fetches published files by the program curl into a folder, where they appear all together, each
/// known by its digest. Until then they are `NAME.part`, from which another attempt goes on.
package struct Download: Sendable {
  package let files: [PublishedFile]
  /// Addresses below which the files lie, in the order in which they are tried.
  package let mirrors: [String]
  package let folder: FilePath
  private static let attempts = 10

  package init(_ files: [PublishedFile], from mirrors: [String], to folder: FilePath) {
    self.files = files
    self.mirrors = mirrors.map { $0.hasSuffix("/") ? $0 : $0 + "/" }
    self.folder = folder
  }

  /// - Throws: `CommandFailure`: 65 for content that is not the published one, 69 if no mirror
  ///   answers or there is no curl, 73 if the folder cannot be written or has another file of that
  ///   name, 75 after a signal.
  package func run() throws {
    try OutputFile.prepare(folder: folder)
    let lockPath = folder.appending(".get.lock")
    let lock = try OpenFile(lock: lockPath)
    guard lock.lock() != .held else {
      throw CommandFailure.unwritable("\(folder): another process is fetching into this folder")
    }
    defer { FileSystem.remove(lockPath) }
    let progress = TaskProgress()
    defer { progress.finish() }
    let missing = try files.filter { try !isThere($0) }
    for file in missing { try fetch(file, progress) }
    try failing {
      for file in missing { try FileSystem.sync(part(file)) }
      for file in missing { try FileSystem.rename(part(file), to: path(file)) }
      try FileSystem.sync(folder)
    }
  }

  func path(_ file: PublishedFile) -> FilePath { folder.appending(file.name) }
  func part(_ file: PublishedFile) -> FilePath { folder.appending(file.name + ".part") }

  private func isThere(_ file: PublishedFile) throws -> Bool {
    let path = path(file)
    guard FileSystem.exists(path) else { return false }
    guard let difference = try difference(file, path) else { return true }
    throw CommandFailure.unwritable("\(path) is another file: \(difference). Move it away first")
  }

  private func difference(_ file: PublishedFile, _ path: FilePath) throws -> String? {
    try waiting("checking \(file.name)") { try failing { try file.difference(of: path) } }
  }

  /// Leaves a part that is the published file.
  private func fetch(_ file: PublishedFile, _ progress: TaskProgress) throws {
    var faults: [Fault] = []
    for mirror in mirrors {
      guard let fault = try fetch(file, from: mirror + file.name, progress) else { return }
      progress.finish()
      faults.append(fault)
    }
    let kept = size(of: file)
    let words = zip(mirrors, faults).map { "\n  \($0)\(file.name): \($1.words)" }.joined()
    throw CommandFailure(
      description: "\(file.name) could not be fetched, nothing was put into \(folder)"
        + (kept > 0
          ? "; the same command goes on after byte \(kept) of \(file.size)"
          : "; for a machine with a network: lathe data get NAME --print") + words,
      status: faults.contains(where: \.isWrong) ? 65 : 69)
  }

  private func size(of file: PublishedFile) -> Int { FileSystem.status(part(file))?.size ?? 0 }

  /// Why a mirror did not give a file.
  private struct Fault {
    let words: String
    /// Whether it gave something else.
    var isWrong = false
  }

  /// Transfers a file, or the rest of it, as often as the connection is cut.
  private func fetch(
    _ file: PublishedFile, from address: String, _ progress: TaskProgress
  ) throws -> Fault? {
    var words = ""
    for _ in 0..<Self.attempts {
      if size(of: file) > file.size { FileSystem.remove(part(file)) }
      let before = size(of: file)
      if before < file.size {
        let ended = try transfer(file, from: address, progress)
        words = ended.words
        if ended.status == Curl.cannotResume {
          FileSystem.remove(part(file))
          continue
        }
        let received = size(of: file)
        if ended.status != 0, received <= file.size {
          guard received > before else { return Fault(words: words) }
          note("\(words); going on after byte \(received) of \(file.size)")
          Thread.sleep(forTimeInterval: 0.5)
          continue
        }
      }
      guard let difference = try difference(file, part(file)) else { return nil }
      FileSystem.remove(part(file))
      // Something else may have been there before: once more from the start.
      if before == 0 { return Fault(words: difference, isWrong: true) }
    }
    return Fault(words: words)
  }

  /// Runs curl to its end; one that receives more than the file has is ended.
  private func transfer(
    _ file: PublishedFile, from address: String, _ progress: TaskProgress
  ) throws -> (status: Int32, words: String) {
    let child = try ChildProcess(Curl.command(address, to: part(file)))
    while child.isRunning {
      let received = size(of: file)
      if received > file.size || StopRequest.received != nil { child.end() }
      progress.show("fetching \(file.name)", received, file.size)
      Thread.sleep(forTimeInterval: 0.05)
    }
    let status = child.finish()
    if let signal = StopRequest.received {
      throw CommandFailure(
        description: "stopped by \(signal) after byte \(size(of: file)) of \(file.size) of "
          + "\(file.name); the same command goes on from there", status: 75)
    }
    switch status {
    case Curl.missing: throw Curl.isMissing
    case Curl.cannotWrite:
      throw CommandFailure.unwritable("cannot write \(part(file)): \(child.lastLine)")
    default: return (status, child.lastLine)
    }
  }
}

/// The program curl: its command line, and what its exit statuses mean.
private enum Curl {
  static let cannotWrite: Int32 = 23
  static let cannotResume: Int32 = 33
  /// That of `env`.
  static let missing: Int32 = 127

  static let isMissing = CommandFailure(
    description: "no program curl in PATH. Install it (apt, dnf, zypper or conda install curl), "
      + "or fetch on another machine: lathe data get NAME --print", status: 69)

  /// A proxy is curl's own business: `http_proxy`, `https_proxy`, `~/.curlrc`.
  static func command(_ address: String, to path: FilePath) -> [String] {
    [
      "curl", "--fail", "--location", "--silent", "--show-error", "--globoff",
      "--proto-redir", "=http,https", "--connect-timeout", "20", "--speed-limit", "1",
      "--speed-time", "30", "--continue-at", "-", "--output", path.string, address,
    ]
  }
}

/// Runs work on another thread, and shows after a while that it goes on.
func waiting<Result: Sendable>(
  _ task: String, _ body: @escaping @Sendable () throws -> Result
) throws -> Result {
  let progress = TaskProgress(after: 1)
  let (answer, hasEnded) = (Answer<Result>(), DispatchSemaphore(value: 0))
  Thread.detachNewThread {
    answer.set(Swift.Result { try body() })
    hasEnded.signal()
  }
  while hasEnded.wait(timeout: .now() + 0.1) == .timedOut { progress.show(task, 0, 0) }
  progress.finish()
  return try answer.value()
}

private final class Answer<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, any Error>?>(nil)

  func set(_ new: Result<Value, any Error>) { result.withLock { $0 = new } }
  func value() throws -> Value { try result.withLock { $0! }.get() }
}
