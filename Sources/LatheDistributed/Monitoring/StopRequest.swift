import Glibc

/// Signals that ask a run to save and stop: SIGUSR1 and SIGTERM from a scheduler, SIGINT from a terminal.
///
/// The handler only sets a flag; the ranks agree at the end of the step. A second SIGINT ends the process at once.
public enum StopRequest {
  /// The exit status of a run that was asked to stop and can be resumed: EX_TEMPFAIL.
  public static let exitStatus: Int32 = 75

  // A pointer fixed before any signal arrives, so that the handler reads nothing else.
  private static let flag = {
    let flag = UnsafeMutablePointer<sig_atomic_t>.allocate(capacity: 1)
    flag.pointee = 0
    return Flag(pointer: flag)
  }()

  private struct Flag: @unchecked Sendable { let pointer: UnsafeMutablePointer<sig_atomic_t> }

  /// One of the signals: SIGUSR1, SIGTERM, SIGINT.
  package enum Signal { case user, terminate, interrupt }

  /// Takes the signals over.
  public static func listen() {
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

  /// What arrived last at this rank, if anything.
  package static var received: Signal? {
    switch flag.pointer.pointee {
    case SIGUSR1: .user
    case SIGTERM: .terminate
    case SIGINT: .interrupt
    default: nil
    }
  }
}
