import CMPI
import Synchronization

/// What each rank of a host last said of itself, in memory that its neighbours read without its
/// help: a rank that is stopped or stuck can be told from one that waits for it.
///
/// `post` belongs to the rank's own thread; `entries` and `claim` may be called from any thread,
/// until `free`.
public final class RankBoard: @unchecked Sendable {
  /// What a rank posted last.
  public struct Entry: Equatable, Sendable {
    /// The rank in the communicator of the board.
    public let rank: Int
    /// Steps made.
    public let step: Int
    /// How many collectives the rank has begun.
    public let collectives: Int
    /// A number that says what it is doing.
    public let activity: Int
    /// Grows with each post.
    public let posts: Int
  }

  private enum Word: Int, CaseIterable { case step, collectives, activity, posts, claim }
  private typealias Words = UnsafeMutablePointer<Atomic<Int>>

  private let host: Communicator
  private let window: CMPIWindow?
  private let places: [(rank: Int, words: Words)]
  private let own: Words
  private var posts = 0

  /// A board for the ranks of each host. Collective.
  ///
  /// Where the ranks of a host can share no memory, each one sees itself alone.
  public init(_ communicator: Communicator) throws(MPIError) {
    host = try communicator.hostCommunicator()
    let ranks = try host.allGather(Int64(communicator.rank)).map(Int.init)
    let bytes = 2 * Word.allCases.count * MemoryLayout<Int>.stride
    var window = CMPIWindow()
    let isShared = host.size > 1 && cmpi_allocate_shared(host.handle, bytes, &window) == 0
    guard try host.allAgree(isShared) else {
      self.window = nil
      own = Words.allocate(capacity: Word.allCases.count)
      places = [(communicator.rank, own)]
      clear()
      return
    }
    self.window = window
    var places: [(rank: Int, words: Words)] = []
    for (place, rank) in ranks.enumerated() {
      places.append((rank, try Self.segment(of: place, window)))
    }
    self.places = places
    own = places[host.rank].words
    clear()
    try host.barrier()
  }

  private static func segment(of rank: Int, _ window: CMPIWindow) throws(MPIError) -> Words {
    var base: UnsafeMutableRawPointer?
    try check("MPI_Win_shared_query", cmpi_shared_segment(window, CInt(rank), &base))
    guard let base else {
      throw MPIError(routine: "MPI_Win_shared_query", text: "rank \(rank) has no segment")
    }
    return base.alignedUp(toMultipleOf: 8)
      .bindMemory(to: Atomic<Int>.self, capacity: Word.allCases.count)
  }

  private func clear() {
    for word in Word.allCases { own[word.rawValue].store(0, ordering: .releasing) }
  }

  /// Says what this rank does now.
  public func post(step: Int, collectives: Int, activity: Int) {
    posts += 1
    own[Word.step.rawValue].store(step, ordering: .relaxed)
    own[Word.collectives.rawValue].store(collectives, ordering: .relaxed)
    own[Word.activity.rawValue].store(activity, ordering: .relaxed)
    own[Word.posts.rawValue].store(posts, ordering: .releasing)
  }

  /// What the ranks of this host posted last, in rank order.
  public var entries: [Entry] {
    places.map { rank, words in
      let posts = words[Word.posts.rawValue].load(ordering: .acquiring)
      return Entry(
        rank: rank, step: words[Word.step.rawValue].load(ordering: .relaxed),
        collectives: words[Word.collectives.rawValue].load(ordering: .relaxed),
        activity: words[Word.activity.rawValue].load(ordering: .relaxed), posts: posts)
    }
  }

  /// True for the first rank of the host that calls it, false for the others.
  public func claim() -> Bool {
    places[0].words[Word.claim.rawValue]
      .compareExchange(expected: 0, desired: 1, ordering: .sequentiallyConsistent).exchanged
  }

  /// Gives back what the ranks share. Collective; the board must not be used afterwards.
  public func free() throws(MPIError) {
    if let window { try check("MPI_Win_free", cmpi_free_window(window)) }
    try host.free()
  }
}
