/// What the ranks of a group have in common: the slots of each, which all of them can read, and
/// state that they keep together.
///
/// A group of one rank has private memory for its slots, and no common state.
final class HostMemory {
  let groups: HostGroups
  /// Where the slots of each rank of the group begin.
  let starts: [UnsafeMutablePointer<Float>]
  /// Zeroed floats that the group keeps together; nil in a group of one rank.
  let state: UnsafeMutablePointer<Float>?
  /// The number of floats in `state`.
  let stateCount: Int
  let transport: Transport
  /// Why this transport, for the banner.
  let reason: String
  private let world: Communicator
  /// The ranks of a group of several.
  private let group: Communicator?
  private let segments: SharedSegments?
  private let memory: SlotMemory?
  /// The first ranks of all groups together, and all others together.
  private let peers: Communicator

  /// Memory for the slots of a layout, zeroed, and `state` floats of each group, which are not.
  /// Collective.
  ///
  /// `hosts` says on which host each rank is, for tests of several hosts on one.
  ///
  /// - Throws: when MPI fails, or when `demanded` cannot be had; always on all ranks.
  init(
    _ world: Communicator, _ layout: SlotLayout, state: Int, demanded: Transport, limit: Int,
    hosts: ((Int) -> Int)? = nil
  ) throws(MPIError) {
    let host = try Self.host(of: world, hosts)
    let first = try Int(host.allReduce([Double(world.rank)], .minimum)[0])
    let isRun = try host.allAgree(world.rank == first + host.rank)
    let outcome = try Self.segments(
      host, isRun ? first..<first + host.size : nil, layout, state: state, demanded: demanded,
      limit: limit)
    if case .made(let made) = outcome { segments = made } else { segments = nil }
    let firsts = try world.allGather(Int64(segments == nil ? world.rank : first)).map(Int.init)
    groups = HostGroups(first: firsts, rank: world.rank)
    group = segments == nil ? nil : host
    if segments == nil { try host.free() }
    peers = groups.mostRanks == 1 ? world : try world.split(group == nil || host.rank == 0 ? 0 : 1)
    self.world = world
    transport = Self.transport(groups)
    reason = try Self.reason(world, groups, outcome, demanded: demanded)
    guard demanded == .automatic || demanded == transport || transport == .local else {
      throw MPIError(routine: "TreeReduction", text: "no \(demanded.name): \(reason)")
    }
    let own = layout.plan(of: world.rank).slotCount
    memory = segments == nil ? try SlotMemory(slots: own, count: layout.count) : nil
    starts = segments?.starts ?? [memory!.slots[0]]
    stateCount = segments == nil ? 0 : state
    self.state = segments.map { $0.starts[0] + layout.floats(of: first) }
    try touch(layout.floats(of: world.rank))
  }

  /// The ranks of this rank's host.
  private static func host(
    of world: Communicator, _ hosts: ((Int) -> Int)?
  ) throws(MPIError) -> Communicator {
    guard let hosts else { return try world.hostCommunicator() }
    return try world.split(hosts(world.rank))
  }

  /// Segments for the ranks of a host, the first one's with the state behind its slots.
  private static func segments(
    _ host: Communicator, _ neighbours: Range<Int>?, _ layout: SlotLayout, state: Int,
    demanded: Transport, limit: Int
  ) throws(MPIError) -> SharedSegments.Outcome {
    guard host.size > 1, demanded != .messages else { return .impossible("") }
    guard let neighbours else { return .impossible("ranks of a host do not follow one another") }
    var floats = neighbours.map(layout.floats)
    floats[0] += state
    return try SharedSegments.make(host, floats: floats, limit: limit)
  }

  private static func transport(_ groups: HostGroups) -> Transport {
    let ranks = groups.ranks.last!.upperBound
    if ranks == 1 { return .local }
    if groups.count == 1 { return .sharedMemory }
    return groups.count == ranks ? .messages : .hosts
  }

  private static func reason(
    _ world: Communicator, _ groups: HostGroups, _ outcome: SharedSegments.Outcome,
    demanded: Transport
  ) throws(MPIError) -> String {
    guard world.size > 1 else { return "1 rank" }
    if demanded == .messages { return "as demanded" }
    var own = ""
    if case .impossible(let why) = outcome { own = why }
    let refused = try world.allAgree(own.isEmpty) ? [] : world.allGather(Array(own.utf8))
    let reasons = Set(refused.map { String(decoding: $0, as: UTF8.self) }).subtracting([""])
    if case .made(let segments) = outcome, groups.count == 1 { return segments.summary }
    let explainsAll = !reasons.isEmpty && groups.mostRanks == 1
    let place =
      reasons.isEmpty ? "on \(groups.count) hosts" : "in \(groups.count) groups that share memory"
    let hosts = explainsAll ? [] : ["\(world.size) ranks \(place)"]
    return (hosts + reasons.sorted()).joined(separator: "; ")
  }

  /// So that no training step pays for it, and the memory lies near the rank that uses it.
  private func touch(_ floats: Int) throws(MPIError) {
    guard group != nil else { return }
    starts[place].update(repeating: 0, count: floats)
    try barrier()
  }

  /// This rank's place in its group.
  var place: Int { world.rank - groups.neighbours.lowerBound }

  /// A barrier of the group, behind which each rank sees what all have written before it.
  func barrier() throws(MPIError) { try segments?.barrier() }

  /// The same; returns whether the condition holds on all ranks of the group.
  func agree(_ condition: Bool) throws(MPIError) -> Bool {
    try segments?.agree(condition) ?? condition
  }

  /// Combines values of the ranks of the group, the same result on each of them.
  func allReduce(
    _ values: [Double], _ operation: ReduceOperation
  ) throws(MPIError) -> [Double] {
    try group?.allReduce(values, operation) ?? values
  }

  /// Brings floats of rank 0 into the same place of each group's memory. Collective.
  func broadcast(_ floats: UnsafeMutableBufferPointer<Float>) throws(MPIError) {
    if place == 0 { try peers.broadcast(floats, from: 0) }
    try barrier()
  }

  /// Gives back what is shared. Collective; the memory must not be used afterwards.
  func free() throws(MPIError) {
    try segments?.free()
    try group?.free()
    if groups.mostRanks > 1 { try peers.free() }
  }
}
