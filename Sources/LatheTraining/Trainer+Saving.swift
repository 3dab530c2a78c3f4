import LatheFiles
import LatheDistributed
import SystemPackage

// What the ranks settle between two steps: whether to stop, and what became of the checkpoint in the background.
extension Trainer {
  /// What a rank brings to the meeting after a step, one bit each.
  private struct Flags: OptionSet {
    let rawValue: UInt32
    static let savingEnded = Flags(rawValue: 1)
    static let user = Flags(rawValue: 2)
    static let terminate = Flags(rawValue: 4)
    static let interrupt = Flags(rawValue: 8)

    /// The names of the signals among them; nil without any.
    var signals: String? {
      let names = [(Flags.user, "SIGUSR1"), (.terminate, "SIGTERM"), (.interrupt, "SIGINT")]
        .filter { contains($0.0) }.map(\.1)
      return names.isEmpty ? nil : names.joined(separator: ", ")
    }
  }

  private var ownFlags: Flags {
    var flags: Flags = checkpoints?.hasEnded == true ? .savingEnded : []
    switch StopRequest.received {
    case .none: break
    case .user: flags.insert(.user)
    case .terminate: flags.insert(.terminate)
    case .interrupt: flags.insert(.interrupt)
    }
    return flags
  }

  /// The signals that any rank has received, or nil; an error of the checkpoint in the background is thrown on all.
  func agree() throws -> String? {
    let flags = try monitor.meet { try world.allReduceFlags(or: ownFlags.rawValue) }
    if Flags(rawValue: flags).contains(.savingEnded) { try concludeSaving() }
    return Flags(rawValue: flags).signals
  }

  /// Copies the state on rank 0, whence it is written in the background. An earlier checkpoint is waited for.
  func beginSaving() throws {
    try concludeSaving()
    let checkpoints = openedCheckpoints()
    monitor.measure(.checkpoint) {
      if world.rank == 0 { checkpoints.begin(step: step) }
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

  /// The ranks whose own loss was not finite in the last phase, with their hosts and slices. Collective.
  func notFiniteOrigins() throws -> [String] {
    let slices = runner.slicesNotFinite.map(String.init).joined(separator: ", ")
    let own = slices.isEmpty ? "" : "rank \(world.rank) on \(world.host), slice \(slices)"
    return try world.allGather(Array(own.utf8)).filter { !$0.isEmpty }
      .map { String(decoding: $0, as: UTF8.self) }
  }
}
