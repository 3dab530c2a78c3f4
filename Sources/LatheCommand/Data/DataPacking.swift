import LatheDistributed
import LatheData
import LatheFiles
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
  /// The splits without which the pictures are of no use.
  var required: [Split] = []

  /// The packed file. Under a launcher MPI is started.
  func runOnAllRanks() throws -> FilePath {
    // Faults of the files are found before MPI starts, by the rank that tells.
    let pictures = Launcher.isRoot ? try failing { try listing() } : nil
    return try run(pictures, on: RankedJob.startUnderLauncher())
  }

  /// The ranks that see the root's file pack together; those of hosts that do not, each with a disk
  /// of its own, pack there.
  private func run(_ found: ImageListing?, on world: Communicator?) throws -> FilePath {
    var work: Work?
    let answer = try world.fromRoot {
      work = try begin(found ?? listing())
      return work!.answer
    }
    // The file's name; then that of the work, if there is any.
    let paths = answer.split(separator: 0).map { FilePath(String(decoding: $0, as: UTF8.self)) }
    let isSeen = FileSystem.isFile(paths.last!)
    guard let team = try world?.split(by: isSeen) else {
      return try pack(paths, work, on: nil)
    }
    let path = isSeen ? try pack(paths, work, on: team) : try run(nil, on: team)
    try team.free()
    return path
  }

  /// Packs into the second of the paths, unless the first one is there.
  private func pack(
    _ paths: [FilePath], _ work: Work?, on world: Communicator?
  ) throws -> FilePath {
    guard paths.count == 2 else { return paths[0] }
    let (rank, size) = (world?.rank ?? 0, world?.size ?? 1)
    let team =
      try work?.packer
      ?? Packer(
        listing(), as: entry.preparation!, to: paths[0], skipsDamaged: skipsCorrupt,
        partial: paths[1])
    let progress = PackProgress(team, done: work?.done ?? 0, isShown: rank == 0)
    try team.pack(part: rank, of: size) { progress.show() }
    try world?.barrier()
    _ = try world.fromRoot {
      progress.end()
      report(try team.finish().skipped.map { "left out: \($0)" })
      work?.cached?.note()
      return []
    }
    return paths[0]
  }

  /// What the root process has begun.
  private struct Work {
    let path: FilePath
    /// Nil if the file is there already.
    var packer: Packer?
    var done = 0
    /// The place in the cache, if that is where the file will be.
    var cached: CachedPack?

    var answer: [UInt8] {
      Array(path.string.utf8) + (packer.map { [0] + Array($0.partial.string.utf8) } ?? [])
    }
  }

  private func begin(_ pictures: ImageListing) throws -> Work {
    report(pictures.notes.map { "\(entry.name): \($0)" })
    report(pictures.omissions.map { "left out: \($0)" })
    for split in required { try pictures.require(split) }
    let cached = entry.cached(pictures, cache: cache)
    let path = output ?? cached.path
    func there() throws(FileError) -> PackedFile? { isForced ? nil : try cached.file() }
    if let file = try there() {
      if !file.skipped.isEmpty {
        say("\(grouped(file.skipped.count)) pictures were left out when they were packed")
      }
      return Work(path: path)
    }
    let packer = Packer(pictures, as: entry.preparation!, to: path, skipsDamaged: skipsCorrupt)
    let queue = PackQueue(packer, say: say)
    guard let (mine, done) = try queue.begin(unless: { (try? there()) != nil }) else {
      return Work(path: path)
    }
    if output == nil { noteEarlierVersions(cached) }
    say("packing \(grouped(pictures.items.count)) pictures into \(path)")
    return Work(path: path, packer: mine, done: done, cached: output == nil ? cached : nil)
  }

  private func noteEarlierVersions(_ cached: CachedPack) {
    let old = cached.filesOfEarlierVersions()
    guard let first = old.first else { return }
    let others = old.count > 1 ? " and \(old.count - 1) more" : ""
    say("\(first)\(others): packed by an earlier version, not used any more")
  }

  private func listing() throws -> ImageListing {
    try entry.pictures(at: place, isTolerant: skipsCorrupt)
  }

  private func report(_ lines: [String]) { lines.forEach(say) }

  private func say(_ line: String) { writeError("lathe: \(line)") }
}

extension Communicator {
  /// The ranks that see what the root rank does; or those of the own host, which do not.
  fileprivate func split(by isSeen: Bool) throws -> Communicator {
    let hosts = try allGather(Array(host.utf8))
    return try split(isSeen ? 0 : 1 + hosts.firstIndex(of: Array(host.utf8))!)
  }
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
    send(before + line + after, to: STDERR_FILENO)
  }
}
