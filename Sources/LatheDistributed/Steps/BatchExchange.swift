import LatheTensors

/// Answers what the slices of all ranks ask of one another.
final class BatchExchange {
  private let world: Communicator
  private let slices: Int
  private var reduction: TreeReduction?

  /// Every rank has as many of the `slices`.
  init(_ world: Communicator, slices: Int) {
    self.world = world
    self.slices = slices
  }

  /// Answers the same request of each of this rank's slices, which are in order. Collective.
  func answer(_ requests: [SliceRequest]) throws(MPIError) {
    switch requests[0].kind {
    case .gather: try gather(requests)
    case .sum: try sum(requests)
    }
  }

  private func gather(_ requests: [SliceRequest]) throws(MPIError) {
    let (count, target) = (requests[0].count, requests[0].target)
    let own = Storage(count: requests.count * count)
    for (place, request) in requests.enumerated() {
      (own.pointer + place * count).update(from: request.source, count: count)
    }
    try world.allGather(
      UnsafeBufferPointer(start: own.pointer, count: own.count),
      into: UnsafeMutableBufferPointer(start: target, count: slices * count))
    for request in requests.dropFirst() {
      request.target.update(from: target, count: slices * count)
    }
  }

  private func sum(_ requests: [SliceRequest]) throws(MPIError) {
    let count = requests[0].count
    let reduction = try reduction(for: count)
    for (slice, request) in zip(reduction.slices, requests) {
      reduction.slot(for: slice).update(from: request.source, count: count)
      reduction.finish(slice: slice, ranges: [0..<count])
    }
    try reduction.complete(ranges: [0..<count])
    for request in requests { request.target.update(from: reduction.result, count: count) }
  }

  /// One that has room for `count` floats.
  private func reduction(for count: Int) throws(MPIError) -> TreeReduction {
    if let reduction, reduction.count >= count { return reduction }
    try reduction?.free()
    var room = 4096
    while room < count { room *= 2 }
    let made = try TreeReduction(world, slices: slices, count: room)
    reduction = made
    return made
  }

  /// Gives back what ranks share. Collective.
  func free() throws(MPIError) { try reduction?.free() }
}
