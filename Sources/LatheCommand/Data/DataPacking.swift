import LatheDistributed
import LatheData
import Foundation
import SystemPackage
import LatheTraining

/// Packs the pictures of a data set on all ranks, unless that has been done.
struct PackJob {
  let entry: Dataset
  /// The folder or archive of the pictures; nil for where they are usually found.
  let place: FilePath?
  let cache: FilePath
  /// The file to write; nil for its place in the cache.
  var output: FilePath?
  /// Whether damaged pictures are left out.
  var skipsCorrupt = false
  /// Whether a file that is there already is made again.
  var isForced = false

  /// The packed file. Under a launcher MPI is started.
  func runOnAllRanks() throws -> FilePath {
    // Faults of the files are found before MPI starts, by the rank that tells.
    let pictures = Launcher.isRoot ? try failing { try listing() } : nil
    return try run(pictures, on: RankedJob.startUnderLauncher())
  }

  private func run(_ found: ImageListing?, on world: Communicator?) throws -> FilePath {
    let (rank, size) = (world?.rank ?? 0, world?.size ?? 1)
    var packer: Packer?
    var done = 0
    let answer = try world.fromRoot {
      let pictures = try found ?? listing()
      let path = output ?? entry.cachedFile(of: pictures, cache: cache)
      if !isForced, (try? PackedFile(path)) != nil { return [0] + Array(path.string.utf8) }
      packer = Packer(pictures, as: entry.preparation!, to: path, skipsDamaged: skipsCorrupt)
      report(pictures.omissions.map { "left out: \($0)" })
      done = try packer!.begin()
      say("packing \(grouped(pictures.items.count)) pictures into \(path)")
      return [1] + Array(path.string.utf8)
    }
    let path = FilePath(String(decoding: answer.dropFirst(), as: UTF8.self))
    if answer[0] == 0 { return path }
    let team =
      try packer
      ?? Packer(
        listing(), as: entry.preparation!, to: path, skipsDamaged: skipsCorrupt)
    let progress = PackProgress(team, done: done, isShown: rank == 0)
    try team.pack(part: rank, of: size) { progress.show() }
    try world?.barrier()
    _ = try world.fromRoot {
      progress.end()
      report(try team.finish().skipped.map { "left out: \($0)" })
      return []
    }
    return path
  }

  private func listing() throws -> ImageListing {
    try entry.pictures(at: place, isTolerant: skipsCorrupt)
  }

  private func report(_ lines: [String]) {
    for line in lines { say(line) }
  }

  private func say(_ line: String) { FileHandle.standardError.write(Data("lathe: \(line)\n".utf8)) }
}

extension Communicator? {
  /// What `body` returns on the root rank, on every rank; without ranks, what it returns.
  fileprivate func fromRoot(_ body: () throws -> [UInt8]) throws -> [UInt8] {
    guard let self else { return try body() }
    return try self.broadcast(from: 0, body)
  }
}

/// A line about pictures packed by all ranks, rate and time left: updated in place on a terminal,
/// else at intervals.
private final class PackProgress {
  private let packer: Packer
  private let doneBefore: Int
  private let isShown: Bool
  private let isTerminal = Launcher.place == nil && isatty(STDERR_FILENO) == 1
  private let start = ContinuousClock.now
  private var lastShown = ContinuousClock.now

  init(_ packer: Packer, done: Int, isShown: Bool) {
    self.packer = packer
    doneBefore = done
    self.isShown = isShown
  }

  func show() {
    let interval = Duration.seconds(isTerminal ? 0.2 : 5)
    guard isShown, ContinuousClock.now - lastShown >= interval else { return }
    lastShown = .now
    write(isTerminal ? "\r\u{1b}[K" : "", isTerminal ? "" : "\n")
  }

  func end() { if isShown { write(isTerminal ? "\r\u{1b}[K" : "", "\n") } }

  private func write(_ before: String, _ after: String) {
    guard let done = try? packer.done() else { return }
    let seconds = (ContinuousClock.now - start).seconds
    let rate = Double(done - doneBefore) / max(seconds, 1e-9)
    var line = "packed \(grouped(done))/\(grouped(packer.count))"
    if doneBefore > 0 { line += " (\(grouped(doneBefore)) before)" }
    line += String(format: "  %.0f images/s", rate)
    line +=
      done == packer.count
      ? "  done in \(spell(seconds: seconds))"
      : "  \(rate > 0 ? spell(seconds: Double(packer.count - done) / rate) : "?") left"
    FileHandle.standardError.write(Data((before + line + after).utf8))
  }
}
