import Glibc

/// Signals that ask a run to save and stop: SIGUSR1 and SIGTERM from a scheduler, SIGINT from a
/// terminal.
///
/// The handler only sets a flag; the ranks agree at the end of the step. A second SIGINT ends the
/// process at once.
enum StopRequest {
  // A pointer fixed before any signal arrives, so that the handler reads nothing else.
  private static let flag = {
    let flag = UnsafeMutablePointer<sig_atomic_t>.allocate(capacity: 1)
    flag.pointee = 0
    return Flag(pointer: flag)
  }()

  private struct Flag: @unchecked Sendable { let pointer: UnsafeMutablePointer<sig_atomic_t> }

  /// Takes the signals over.
  static func listen() {
    flag.pointer.pointee = 0
    for number in [SIGUSR1, SIGTERM, SIGINT] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        if number == SIGINT { signal(SIGINT, SIG_DFL) }
        StopRequest.flag.pointer.pointee = number
      }
      action.sa_flags = SA_RESTART
      sigaction(number, &action, nil)
    }
  }

  /// The name of the signal that arrived last at this rank, if any did.
  static var received: String? {
    switch flag.pointer.pointee {
    case SIGUSR1: "SIGUSR1"
    case SIGTERM: "SIGTERM"
    case SIGINT: "SIGINT"
    default: nil
    }
  }
}
