import Glibc
import LatheDistributed

// Goals, in order:
// 1. A rank that traps or exits early says who and where it is, and ends the others.
// 2. The handler calls nothing that could wait or allocate: write, sigaction, raise.

/// Last words of a rank that ends without having been asked to.
enum CrashReport {
  private static let signals: [Int32] = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV]
  private static let stackBytes = 64 << 10

  /// All that the handler touches, made before it is installed.
  private struct State: @unchecked Sendable {
    let prefix: UnsafeMutablePointer<UInt8>
    let prefixCount: UnsafeMutablePointer<Int>
    let step: UnsafeMutablePointer<Int>
    let previous: UnsafeMutablePointer<sigaction>
    let isArmed: UnsafeMutablePointer<Bool>
  }

  private static let capacity = 512
  private static let state = {
    let previous = UnsafeMutablePointer<sigaction>.allocate(capacity: 65)
    previous.initialize(repeating: sigaction(), count: 65)
    let state = State(
      prefix: .allocate(capacity: capacity), prefixCount: .allocate(capacity: 1),
      step: .allocate(capacity: 1), previous: previous, isArmed: .allocate(capacity: 1))
    state.prefixCount.pointee = 0
    state.step.pointee = 0
    state.isArmed.pointee = false
    return state
  }()
  nonisolated(unsafe) private static var session: MPISession?

  /// Steps made, for the message.
  static var step: Int {
    get { state.step.pointee }
    set { state.step.pointee = newValue }
  }

  /// From now on a trap is reported before it ends the process, and an exit before `disarm` ends
  /// the job.
  static func arm(_ session: MPISession) {
    let prefix = Array("rank \(session.world.rank) on \(session.world.host): ".utf8)
      .prefix(capacity)
    for (place, byte) in prefix.enumerated() { state.prefix[place] = byte }
    state.prefixCount.pointee = prefix.count
    state.isArmed.pointee = true
    self.session = session
    useOwnStack()
    for number in signals { install(number) }
    atexit { CrashReport.exited() }
  }

  /// The run has ended as it should.
  static func disarm() { state.isArmed.pointee = false }

  /// A stack for the handler, so that a stack overflow is reported too.
  private static func useOwnStack() {
    var stack = stack_t()
    stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: stackBytes, alignment: 16)
    stack.ss_size = stackBytes
    sigaltstack(&stack, nil)
  }

  private static func install(_ number: Int32) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { CrashReport.trapped($0) }
    action.sa_flags = Int32(SA_ONSTACK)
    sigaction(number, &action, state.previous + Int(number))
  }

  /// Writes the message, leaves the signal to whoever had it before, and ends the process with it
  /// should that one return.
  private static func trapped(_ number: Int32) {
    let state = state
    write(STDERR_FILENO, state.prefix, state.prefixCount.pointee)
    say("trap (signal ")
    say(Int(number))
    say(") at step ")
    say(state.step.pointee + 1)
    say("\n")
    sigaction(number, state.previous + Int(number), nil)
    var own = sigset_t()
    sigemptyset(&own)
    sigaddset(&own, number)
    pthread_sigmask(SIG_UNBLOCK, &own, nil)
    raise(number)
    signal(number, SIG_DFL)
    raise(number)
  }

  private static func exited() {
    guard state.isArmed.pointee, let session else { return }
    session.end(saying: "exit at step \(step + 1), before the run was finished", status: 70)
  }

  private static func say(_ text: StaticString) {
    write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
  }

  /// A number of at least 0, digit by digit: no memory is taken.
  private static func say(_ number: Int) {
    var power = 1
    while number / power >= 10 { power *= 10 }
    while power > 0 {
      var digit = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / power % 10)
      write(STDERR_FILENO, &digit, 1)
      power /= 10
    }
  }
}
