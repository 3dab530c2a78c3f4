/// Where a rank is and where its time goes: each activity is announced here once, and from here the
/// others of the host, the table of times and the timeline know of it. For the thread that trains.
public final class RankMonitor {
  /// A stretch of one activity.
  struct Event {
    let activity: Activity
    let step: Int
    /// Seconds since the monitor's beginning.
    let start, end: Double
  }

  /// Steps made.
  public var step = 0 {
    didSet {
      noteStep(step)
      post()
    }
  }
  /// Seconds of each activity since the beginning, in the order of `Activity.allCases`.
  public private(set) var seconds = [Double](repeating: 0, count: Activity.allCases.count)
  private(set) var events: [Event] = []

  private static let maximumEvents = 400_000
  private let board: RankBoard?
  private let keepsEvents: Bool
  private let noteStep: (Int) -> Void
  private var beginning = ContinuousClock.now
  private var activity = Activity.starting
  private var since = ContinuousClock.now
  private var isRunning = false
  private var collectives = 0

  /// Announces on the board, if there is one, and tells `noteStep` the steps made; keeps single
  /// events when asked for a timeline.
  public init(
    board: RankBoard? = nil, keepsEvents: Bool = false,
    noteStep: @escaping (_ step: Int) -> Void = { _ in }
  ) {
    self.board = board
    self.noteStep = noteStep
    self.keepsEvents = keepsEvents
    post()
  }

  /// The start is over. Time zero of the events, so all ranks should call it together.
  package func begin() {
    change(to: .other)
    beginning = since
    isRunning = true
  }

  /// Runs `body` and books its time, less that of activities within it: times add up to the whole.
  public func measure<Result, Failure: Error>(
    _ activity: Activity, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let outer = self.activity
    change(to: activity)
    defer { change(to: outer) }
    return try body()
  }

  /// Books the last part of the present activity's time for another, as if the two had followed one
  /// another.
  func rebook(last part: Duration, as other: Activity) {
    let present = activity
    let now = ContinuousClock.now
    let start = max(since, now - part)
    book(present, start: since, end: start)
    book(other, start: start, end: now)
    since = now
  }

  /// Waits until all ranks have come here.
  package func barrier(_ world: Communicator) throws(MPIError) {
    guard world.size > 1 else { return }
    try collective { () throws(MPIError) in try world.barrier() }
  }

  /// Runs `body`, a collective, and books its time as waiting unless another activity is named.
  package func collective<Result, Failure: Error>(
    as activity: Activity = .waiting, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    collectives += 1
    return try measure(activity, body)
  }

  /// Tells the others that this rank is alive.
  public func heartbeat() { post() }

  /// Books the time since the last change for what has been done until now.
  private func change(to next: Activity) {
    let now = ContinuousClock.now
    book(activity, start: since, end: now)
    since = now
    activity = next
    post()
  }

  private func book(
    _ activity: Activity, start: ContinuousClock.Instant, end: ContinuousClock.Instant
  ) {
    seconds[activity.rawValue] += (end - start).seconds
    guard keepsEvents, isRunning, activity != .other, events.count < RankMonitor.maximumEvents
    else { return }
    events.append(
      Event(
        activity: activity, step: step, start: (start - beginning).seconds,
        end: (end - beginning).seconds))
  }

  private func post() {
    board?.post(step: step, collectives: collectives, activity: activity.rawValue)
  }
}
