import Glibc

/// Signals that ask a run to save and stop: SIGUSR1 and SIGTERM from a scheduler, SIGINT from a
/// terminal, SIGHUP and SIGPIPE when the terminal or the reader of the output is gone.
///
/// The handler sets a flag and answers with one line; the ranks agree at the end of the step. A
/// second SIGINT ends the process at once.
enum StopRequest {
  // Memory fixed before any signal arrives, so that the handler reads nothing else.
  private static let state = {
    let state = State(
      signal: .allocate(capacity: 1), answer: .allocate(capacity: 1),
      answersSIGTERM: .allocate(capacity: 1))
    state.signal.pointee = 0
    state.answer.pointee = .none
    state.answersSIGTERM.pointee = Launcher.place == nil
    return state
  }()

  private struct State: @unchecked Sendable {
    let signal: UnsafeMutablePointer<sig_atomic_t>
    let answer: UnsafeMutablePointer<Answer>
    /// A launcher sends SIGTERM to all ranks when one has failed: then there is nothing to answer.
    let answersSIGTERM: UnsafeMutablePointer<Bool>
  }

  /// Where the answer is written, if at all.
  private enum Answer { case none, line, terminal }

  /// Takes the signals over; one rank of a job should `answer`.
  static func install(answering: Bool) {
    state.signal.pointee = 0
    state.answer.pointee =
      !answering ? .none : isatty(STDERR_FILENO) == 1 ? .terminal : .line
    for number in [SIGUSR1, SIGTERM, SIGINT, SIGHUP, SIGPIPE] where number != SIGHUP || !isNohup {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { StopRequest.arrived($0) }
      action.sa_flags = SA_RESTART
      sigaction(number, &action, nil)
    }
  }

  /// Whether the run is to outlive its terminal: `nohup` starts a process deaf to SIGHUP.
  private static var isNohup: Bool {
    var action = sigaction()
    sigaction(SIGHUP, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// The handler: calls nothing that could wait or allocate.
  private static func arrived(_ number: Int32) {
    if number == SIGINT { signal(SIGINT, SIG_DFL) }
    let isFirst = state.signal.pointee == 0
    state.signal.pointee = number
    guard isFirst, state.answer.pointee != .none else { return }
    if number == SIGTERM && !state.answersSIGTERM.pointee { return }
    // On a terminal the line takes the place of the progress line.
    if state.answer.pointee == .terminal { say("\r\u{1B}[K") }
    switch number {
    case SIGINT:
      say("lathe: SIGINT: stopping after this step or evaluation; Ctrl-C again ends it now\n")
    case SIGTERM: say("lathe: SIGTERM: stopping after this step or evaluation\n")
    case SIGHUP: say("lathe: SIGHUP: stopping after this step or evaluation\n")
    case SIGPIPE: say("lathe: nobody reads the output: stopping after this step or evaluation\n")
    default: say("lathe: SIGUSR1: stopping after this step or evaluation\n")
    }
  }

  private static func say(_ text: StaticString) {
    _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
  }

  /// The name of the signal that arrived last at this rank, if any did.
  static var received: String? {
    switch state.signal.pointee {
    case SIGUSR1: "SIGUSR1"
    case SIGTERM: "SIGTERM"
    case SIGINT: "SIGINT"
    case SIGHUP: "SIGHUP"
    case SIGPIPE: "SIGPIPE"
    default: nil
    }
  }
}
