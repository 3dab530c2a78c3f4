import CMPI
import Glibc

/// All-reduce with messages: each rank adds up its own shard of the vector.
///
/// Concretely, the shard of each rank is cut into pieces. In round k every rank sends its sums of
/// piece k of each other shard to the rank that owns it, adds what it receives for piece k of its
/// own shard in the tree's order, and sends the finished piece to all. Several rounds are under way
/// at a time.
final class MessageTransport: SlotTransport {
  private let communicator: Communicator
  private let layout: SlotLayout
  private let reducer: PartialSumReducer
  private let memory: SlotMemory
  private let inbox: SlotMemory
  private let pieceFloats: Int
  /// The pieces of each rank's shard, while `allReduce` runs.
  private var pieces: [[Range<Int>]] = []
  private var rounds: [Round]
  private var backOff = BackOff.none
  /// Finished pieces, coming and going.
  private let finished = RequestList()

  private static let roundsInFlight = 4
  private static let operandTag: CInt = 2
  private static let resultTag: CInt = 3

  /// The requests of one round.
  private struct Round {
    let sends = RequestList()
    let receives = RequestList()
  }

  var slots: [UnsafeMutablePointer<Float>] { memory.slots }
  var result: UnsafePointer<Float> { UnsafePointer(memory.slots[0]) }

  init(_ communicator: Communicator, _ layout: SlotLayout) throws(MPIError) {
    self.communicator = communicator
    self.layout = layout
    reducer = try PartialSumReducer(layout.acrossRanks)
    memory = try SlotMemory(slots: layout.plans[communicator.rank].slotCount, count: layout.count)
    rounds = (0..<Self.roundsInFlight).map { _ in Round() }
    // 512 KiB; less when there are so many sums that the inbox would pass 16 MiB a round.
    let operands = layout.acrossRanks.slots.count
    pieceFloats = min(131_072, max(4096, (4 << 20) / operands / 1024 * 1024), layout.count)
    inbox = try SlotMemory(slots: Self.roundsInFlight * operands, count: pieceFloats)
  }

  func free() {}

  func allReduce(ranges: [Range<Int>], backOff: BackOff) throws(MPIError) {
    self.backOff = backOff
    let size = communicator.size
    pieces = (0..<size).map {
      Partition.pieces(of: Partition.shard($0, of: size, ranges: ranges), size: pieceFloats)
    }
    let roundCount = pieces.map(\.count).max() ?? 0
    let lag = Self.roundsInFlight - 1
    for round in 0..<roundCount + lag {
      if round < roundCount { try startRound(round) }
      if round >= lag { try finishRound(round - lag) }
    }
    try finished.wait(backOff)
  }

  /// Every other rank, beginning after this one, so that not all send to the same rank at once.
  private var peers: [Int] {
    (1..<communicator.size).map { (communicator.rank + $0) % communicator.size }
  }

  private func piece(_ round: Int, of rank: Int) -> Range<Int>? {
    round < pieces[rank].count ? pieces[rank][round] : nil
  }

  private func startRound(_ round: Int) throws(MPIError) {
    let requests = rounds[round % rounds.count]
    for peer in peers {
      if let mine = piece(round, of: communicator.rank) {
        for operand in 0..<layout.operands[peer] {
          let target = inboxSlot(round, operand + layout.firstOperands[peer])
          try receive(mine.count, into: target, from: peer, Self.operandTag, requests.receives)
        }
      }
      if let theirs = piece(round, of: peer) {
        for operand in 0..<layout.operands[communicator.rank] {
          let source = memory.slots[operand] + theirs.lowerBound
          try send(theirs.count, from: source, to: peer, Self.operandTag, requests.sends)
        }
      }
    }
  }

  private func finishRound(_ round: Int) throws(MPIError) {
    let requests = rounds[round % rounds.count]
    try requests.receives.wait(backOff)
    if let mine = piece(round, of: communicator.rank) {
      let target = memory.slots[0] + mine.lowerBound
      reducer.add(operands(round, at: mine.lowerBound), into: [target], count: mine.count)
      for peer in peers {
        try send(mine.count, from: target, to: peer, Self.resultTag, finished)
      }
    }
    // A finished piece arrives where this rank's sum of it lies: that sum must have left before.
    try requests.sends.wait(backOff)
    for peer in peers {
      guard let theirs = piece(round, of: peer) else { continue }
      let target = memory.slots[0] + theirs.lowerBound
      try receive(theirs.count, into: target, from: peer, Self.resultTag, finished)
    }
  }

  /// The sums of all ranks in the tree's order: this rank's in its slots, the others' in the inbox.
  private func operands(_ round: Int, at offset: Int) -> [UnsafePointer<Float>] {
    let first = layout.firstOperands[communicator.rank]
    return layout.acrossRanks.slots.indices.map { operand in
      let own = operand - first
      guard own >= 0 && own < layout.operands[communicator.rank] else {
        return UnsafePointer(inboxSlot(round, operand))
      }
      return UnsafePointer(memory.slots[own] + offset)
    }
  }

  private func inboxSlot(_ round: Int, _ operand: Int) -> UnsafeMutablePointer<Float> {
    inbox.slots[round % rounds.count * layout.acrossRanks.slots.count + operand]
  }

  private func send(
    _ count: Int, from source: UnsafePointer<Float>, to peer: Int, _ tag: CInt, _ list: RequestList
  ) throws(MPIError) {
    let count = try mpiCount(count, "MPI_Isend")
    let handle = communicator.handle
    try list.start("MPI_Isend") { cmpi_start_send(handle, source, count, CInt(peer), tag, $0) }
  }

  private func receive(
    _ count: Int, into target: UnsafeMutablePointer<Float>, from peer: Int, _ tag: CInt,
    _ list: RequestList
  ) throws(MPIError) {
    let count = try mpiCount(count, "MPI_Irecv")
    let handle = communicator.handle
    try list.start("MPI_Irecv") { cmpi_start_receive(handle, target, count, CInt(peer), tag, $0) }
  }
}

/// Non-blocking operations that are waited for together.
private final class RequestList {
  private var requests: [CMPIRequest] = []

  /// Starts an operation and keeps its request.
  func start(
    _ routine: String, _ call: (UnsafeMutablePointer<CMPIRequest>) -> CInt
  ) throws(MPIError) {
    var request = CMPIRequest()
    try check(routine, call(&request))
    requests.append(request)
  }

  /// Waits for all operations and forgets them.
  func wait(_ backOff: BackOff) throws(MPIError) {
    let count = try mpiCount(requests.count, "MPI_Waitall")
    while backOff.isOn {
      var ended: CInt = 0
      try check("MPI_Testall", cmpi_test_all(&requests, count, &ended))
      if ended != 0 { return requests.removeAll(keepingCapacity: true) }
      usleep(BackOff.pauseMicroseconds)
    }
    try check("MPI_Waitall", cmpi_wait_all(&requests, count))
    requests.removeAll(keepingCapacity: true)
  }
}
