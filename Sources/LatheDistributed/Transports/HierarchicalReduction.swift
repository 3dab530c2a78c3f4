/// Adds up what groups have in their slots, by messages.
///
/// A piece goes three ways. `send`: its handler in each group adds up what the group's ranks have
/// and sends that to the owner's handler. `add`: that one adds in the tree's order and sends the
/// sum to all. `take`: the sum has come. Each rank takes its pieces in ascending order through each
/// of them, several pieces at a time, so none waits for another without end.
final class HierarchicalReduction {
  private let world: Communicator
  private let memory: HostMemory
  private let layout: SlotLayout
  private let grid: PieceGrid
  /// How a group adds up its own, and how an owner adds: its own and what others sent.
  private let own, all, rounded: PartialSumReducer
  /// How many sums each group sends, and the place of the first of them among all.
  private let sumCounts, firstSum: [Int]
  private let inbox, outbox: SlotMemory
  private let sums, results: [Requests]
  private let finished: Requests
  /// What the ranks of this group have left to be added, in the tree's order.
  private let left: [UnsafeMutablePointer<Float>]

  private var pieces: [PieceGrid.Piece] = []
  private var wire = Wire.float32
  private var backOff = BackOff.none
  private var (sent, added, taken) = (0, 0, 0)

  private static let (sumsInFlight, resultsInFlight) = (4, 8)
  private static let (sumTag, resultTag): (CInt, CInt) = (2, 3)

  init(
    _ world: Communicator, _ memory: HostMemory, _ layout: SlotLayout
  ) throws(MPIError) {
    (self.world, self.memory, self.layout) = (world, memory, layout)
    let groups = memory.groups
    let plans = groups.ranks.map(layout.plan(within:))
    sumCounts = plans.map(\.remaining.count)
    var next = 0
    firstSum = sumCounts.map { count in
      defer { next += count }
      return next
    }
    grid = PieceGrid(groups, count: layout.count, partialSums: next)
    own = try PartialSumReducer(plans[groups.own])
    all = try PartialSumReducer(
      layout.tree.plan(
        adding: groups.ranks.indices.flatMap {
          $0 == groups.own ? layout.partialSums(of: groups.ranks[$0]) : plans[$0].remaining
        }))
    rounded = try PartialSumReducer(layout.tree.plan(adding: plans.flatMap(\.remaining)))
    let staged = groups.count == 1 ? 1 : grid.size
    inbox = try SlotMemory(slots: Self.sumsInFlight * next, count: staged)
    outbox = try SlotMemory(slots: Self.sumsInFlight * (sumCounts[groups.own] + 1), count: staged)
    sums = (0..<Self.sumsInFlight).map { _ in Requests(world) }
    results = (0..<Self.resultsInFlight).map { _ in Requests(world) }
    finished = Requests(world)
    left = zip(groups.neighbours, memory.starts).flatMap { rank, start in
      layout.plan(of: rank).remaining.indices.map { start + $0 * layout.stride }
    }
  }

  /// Whether all ranks are one group: then a rank adds up its pieces itself.
  private var isAlone: Bool { memory.groups.count == 1 }

  /// What of some ranges this rank sums.
  func shard(of ranges: [Range<Int>]) -> [Range<Int>] {
    grid.pieces(of: ranges, handledBy: world.rank).map(\.range)
  }

  // MARK: The course of a reduction

  /// Adds up ranges for all ranks of the group.
  func sumForAll(_ ranges: [Range<Int>], _ backOff: BackOff) throws(MPIError) {
    begin(ranges, wire: .float32, backOff)
    for piece in pieces { try sum(piece.range) }
    try end()
    let own = memory.starts[memory.place]
    for piece in pieces {
      let start = piece.range.lowerBound
      for copy in memory.starts where copy != own {
        (copy + start).update(from: own + start, count: piece.range.count)
      }
    }
  }

  /// Begins with this rank's part of `ranges`.
  func begin(_ ranges: [Range<Int>], wire: Wire, _ backOff: BackOff) {
    pieces = grid.pieces(of: ranges, handledBy: world.rank)
    (self.wire, self.backOff) = (wire, backOff)
    (sent, added, taken) = (0, 0, 0)
  }

  /// Adds up a part of this rank's pieces, or goes on until its sum is there. Parts are asked for
  /// once, in ascending order.
  func sum(_ part: Range<Int>) throws(MPIError) {
    guard !isAlone else {
      return all.add(slots(at: part.lowerBound), into: [[target(part)]], count: part.count)
    }
    while taken < pieces.count, pieces[taken].range.lowerBound < part.upperBound {
      try advance()
    }
  }

  /// Waits until all pieces are there and nothing is under way any more.
  func end() throws(MPIError) {
    while !isAlone, taken < pieces.count { try advance() }
    for requests in sums + [finished] { try requests.wait(backOff) }
  }

  private func advance() throws(MPIError) {
    if sent < pieces.count, sent - added < Self.sumsInFlight {
      try send(sent)
      sent += 1
    } else if added < sent, added - taken < Self.resultsInFlight {
      try add(added)
      added += 1
    } else {
      try take(taken)
      taken += 1
    }
  }

  // MARK: The three ways of a piece

  private func send(_ index: Int) throws(MPIError) {
    let (piece, requests) = (pieces[index], sums[index % sums.count])
    let (owner, count) = (grid.owner(of: piece), piece.range.count)
    try requests.wait(backOff)
    guard owner == memory.groups.own else {
      let peer = grid.handler(of: piece, in: owner)
      for values in ownSums(piece.range, index) {
        try requests.send(values, wire.bytes(count), to: peer, tag: Self.sumTag)
      }
      return
    }
    for group in memory.groups.others {
      let peer = grid.handler(of: piece, in: group)
      for part in firstSum[group]..<firstSum[group] + sumCounts[group] {
        try requests.receive(
          wire.bytes(count), into: wire.arrival(inboxSlot(index, part), count), from: peer,
          tag: Self.sumTag)
      }
    }
  }

  private func add(_ index: Int) throws(MPIError) {
    let (piece, requests) = (pieces[index], sums[index % sums.count])
    let (owner, count) = (grid.owner(of: piece), piece.range.count)
    try requests.wait(backOff)
    guard owner == memory.groups.own else {
      // The sum arrives where this rank's part of it lay: that part has left.
      return try results[index % results.count].receive(
        wire.bytes(count), into: wire.arrival(target(piece.range), count),
        from: grid.handler(of: piece, in: owner), tag: Self.resultTag)
    }
    addAll(piece.range, index)
    let (result, list) = packedResult(piece.range, index)
    for group in memory.groups.others {
      try list.send(
        result, wire.bytes(count), to: grid.handler(of: piece, in: group), tag: Self.resultTag)
    }
  }

  private func take(_ index: Int) throws(MPIError) {
    let piece = pieces[index]
    guard grid.owner(of: piece) != memory.groups.own else { return }
    try results[index % results.count].wait(backOff)
    wire.unpack(target(piece.range), piece.range.count)
  }

  // MARK: Sums

  /// What this group has, as it is sent: in the slots if nothing is to be added.
  private func ownSums(_ range: Range<Int>, _ index: Int) -> [UnsafePointer<Float>] {
    if own.isIdentity, wire == .float32 { return slots(at: range.lowerBound) }
    let targets = (0..<sumCounts[memory.groups.own]).map { outboxSlot(index, $0) }
    own.add(slots(at: range.lowerBound), into: targets.map { [$0] }, count: range.count)
    if wire == .bfloat16 { for target in targets { wire.pack(target, into: target, range.count) } }
    return targets.map { UnsafePointer($0) }
  }

  /// Adds up what all groups have. With a wire that rounds, this group's part is rounded, too: who
  /// owns a piece makes no difference.
  private func addAll(_ range: Range<Int>, _ index: Int) {
    let groups = memory.groups
    var operands: [UnsafePointer<Float>] = []
    for group in groups.ranks.indices {
      for part in firstSum[group]..<firstSum[group] + sumCounts[group] where group != groups.own {
        let arrived = inboxSlot(index, part)
        wire.unpack(arrived, range.count)
        operands.append(UnsafePointer(arrived))
      }
      if group == groups.own { operands += ownOperands(range, index) }
    }
    let reducer = wire == .float32 ? all : rounded
    reducer.add(operands, into: [[target(range)]], count: range.count)
    wire.round(target(range), range.count)
  }

  private func ownOperands(_ range: Range<Int>, _ index: Int) -> [UnsafePointer<Float>] {
    let slots = slots(at: range.lowerBound)
    guard wire == .bfloat16 else { return slots }
    let targets = (0..<sumCounts[memory.groups.own]).map { outboxSlot(index, $0) }
    own.add(slots, into: targets.map { [$0] }, count: range.count)
    for target in targets { wire.round(target, range.count) }
    return targets.map { UnsafePointer($0) }
  }

  /// A sum as it is sent, and the list that waits before its place is used again.
  private func packedResult(
    _ range: Range<Int>, _ index: Int
  ) -> (bytes: UnsafeRawPointer, list: Requests) {
    guard wire == .bfloat16 else { return (UnsafeRawPointer(target(range)), finished) }
    let packed = outboxSlot(index, sumCounts[memory.groups.own])
    wire.pack(target(range), into: packed, range.count)
    return (UnsafeRawPointer(packed), sums[index % sums.count])
  }

  // MARK: Places

  private func slots(at offset: Int) -> [UnsafePointer<Float>] {
    left.map { UnsafePointer($0 + offset) }
  }

  private func target(_ range: Range<Int>) -> UnsafeMutablePointer<Float> {
    memory.starts[memory.place] + range.lowerBound
  }

  private func inboxSlot(_ index: Int, _ part: Int) -> UnsafeMutablePointer<Float> {
    inbox.slots[index % sums.count * (inbox.slots.count / sums.count) + part]
  }

  private func outboxSlot(_ index: Int, _ part: Int) -> UnsafeMutablePointer<Float> {
    outbox.slots[index % sums.count * (outbox.slots.count / sums.count) + part]
  }
}
