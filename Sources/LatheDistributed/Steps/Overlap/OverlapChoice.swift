/// Whether gradients are reduced while the backward pass still runs. The bits are the same.
public enum Overlap: String, Codable, CaseIterable, Sendable {
  /// Tried against off in the first steps where ranks exchange messages; off elsewhere.
  case auto
  case on, off
}

/// Decides on overlap: as told, or by the times of the first steps.
///
/// Concretely, after one step that is not counted, `trials` steps without and `trials` with overlap
/// in turn; it stays on when the fastest step with it, on the rank that is slowest, took less than
/// 98 % of the fastest without.
final class OverlapChoice {
  /// What was decided and why, once it is; nil where there was no choice.
  private(set) var summary: String?

  private static let trials = 5
  private let world: Communicator
  private var setting: Overlap
  private var seconds: [(isOn: Bool, seconds: Double)] = []
  private var steps = 0

  /// Overlap is tried where it may help: where `transport` has messages. With global statistics it
  /// is off: slices call MPI while gradients are made, so nobody else may.
  init(
    _ setting: Overlap, _ statistics: BatchStatistics, _ transport: Transport,
    on world: Communicator
  ) {
    self.world = world
    let hasMessages = transport == .messages || transport == .hosts
    let isOff = statistics == .global || (setting == .auto && !hasMessages)
    self.setting = isOff ? .off : setting
    if isOff, setting == .on { summary = "off: global batch statistics exchange values meanwhile" }
  }

  /// Whether the present step overlaps.
  var isOn: Bool {
    setting == .on || (setting == .auto && steps > 0 && steps.isMultiple(of: 2))
  }

  /// Takes the time of a step into account. Collective.
  func stepEnded(after seconds: Double) throws(MPIError) {
    guard setting == .auto else { return }
    if steps > 0 { self.seconds.append((isOn, seconds)) }
    steps += 1
    if self.seconds.count == 2 * OverlapChoice.trials { try decide() }
  }

  private func decide() throws(MPIError) {
    let fastest = [false, true].map { isOn in
      seconds.filter { $0.isOn == isOn }.map(\.seconds).min()!
    }
    let slowest = try world.allReduce(fastest, .maximum)
    setting = slowest[1] < 0.98 * slowest[0] ? .on : .off
    let (off, on) = (milliseconds(slowest[0]), milliseconds(slowest[1]))
    summary = "\(setting.rawValue): a step takes \(off) without, \(on) with it"
  }

  private func milliseconds(_ seconds: Double) -> String {
    "\((seconds * 1e4).rounded() / 10) ms"
  }
}
