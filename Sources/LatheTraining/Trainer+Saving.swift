import LatheFiles
import LatheDistributed
import SystemPackage

// What the ranks settle between two steps: whether to stop, and what became of the checkpoint in
// the background.
extension Trainer {
  /// What a rank brings to the agreement after a step, one bit each.
  private struct Flags: OptionSet {
    let rawValue: UInt32
    static let savingEnded = Flags(rawValue: 1)
    static let stop = Flags(rawValue: 2)
  }

  /// Why any rank should stop, or nil; an error of the checkpoint in the background is thrown on
  /// all.
  func agree() throws -> String? {
    let reason = shouldStop()
    var own: Flags = checkpoints?.hasEnded == true ? .savingEnded : []
    if reason != nil { own.insert(.stop) }
    let all = Flags(rawValue: try monitor.collective { try world.allReduceFlags(or: own.rawValue) })
    let reasons = all.contains(.stop) ? try reasonsOfAll(reason ?? "") : nil
    if all.contains(.savingEnded) { try concludeSaving() }
    return reasons
  }

  private func reasonsOfAll(_ own: String) throws -> String {
    let all = try world.allGather(Array(own.utf8)).map { String(decoding: $0, as: UTF8.self) }
    return Set(all).filter { !$0.isEmpty }.sorted().joined(separator: ", ")
  }

  /// Copies the state on rank 0, whence it is written in the background. An earlier checkpoint is
  /// waited for.
  func beginSaving() throws {
    try concludeSaving()
    let checkpoints = openedCheckpoints()
    monitor.measure(.checkpoint) {
      if world.rank == 0 { checkpoints.begin(step: step, plateau: plateau?.state) }
    }
  }

  /// Waits until nothing is being written; an error is thrown on all ranks.
  func concludeSaving() throws {
    let checkpoints = openedCheckpoints()
    try monitor.measure(.checkpoint) {
      try world.broadcast0 { [hooks] in
        guard let saved = try checkpoints.conclude() else { return }
        try hooks.saved(saved.step, saved.path)
      }
    }
  }

  /// The newest checkpoint on the disk, on every rank; nil before the first. Collective.
  func lastCheckpoint() throws -> FilePath? {
    let path = try world.broadcast(from: 0) { [checkpoints] in
      checkpoints?.wait()
      return Array((checkpoints?.lastSaved?.string ?? "").utf8)
    }
    return path.isEmpty ? nil : FilePath(String(decoding: path, as: UTF8.self))
  }

  /// The ranks whose own loss was not finite in the last phase, with their hosts and slices.
  /// Collective.
  func notFiniteOrigins() throws -> [String] {
    let slices = runner.slicesNotFinite.map(String.init).joined(separator: ", ")
    let own = slices.isEmpty ? "" : "rank \(world.rank) on \(world.host), slice \(slices)"
    return try world.allGather(Array(own.utf8)).filter { !$0.isEmpty }
      .map { String(decoding: $0, as: UTF8.self) }
  }
}
