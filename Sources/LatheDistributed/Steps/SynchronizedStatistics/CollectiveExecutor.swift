import LatheTensors

/// Executes the collectives that slices call, over the slices of all ranks.
final class CollectiveExecutor {
  private let world: Communicator
  private let slices: Int
  private var reduction: TreeReduction?

  /// Every rank has as many of the `slices`.
  init(_ world: Communicator, slices: Int) {
    self.world = world
    self.slices = slices
  }

  /// Executes the collective that each of this rank's slices calls, in the order of the slices.
  /// Collective.
  func execute(_ requests: [CollectiveRequest]) throws(MPIError) {
    switch requests[0].kind {
    case .allGather: try allGather(requests)
    case .allReduce: try allReduce(requests)
    }
  }

  private func allGather(_ requests: [CollectiveRequest]) throws(MPIError) {
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

  private func allReduce(_ requests: [CollectiveRequest]) throws(MPIError) {
    let count = requests[0].count
    let reduction = try reduction(for: count)
    for (slice, request) in zip(reduction.slices, requests) {
      reduction.slot(for: slice).update(from: request.source, count: count)
      reduction.finish(slice: slice, ranges: [0..<count])
    }
    try reduction.allReduce(ranges: [0..<count])
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
