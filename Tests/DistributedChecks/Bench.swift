import LatheDistributed
import Glibc

/// Times the reductions, alternating, and reports best and median in milliseconds: what is chosen
/// alone, or others beside it.
///
/// A time is that of the slowest rank, from one barrier to the end of the reduction. Every rank has
/// one slice.
func bench(_ world: Communicator, floats count: Int, rounds: Int, isAlone: Bool) throws {
  var methods: [(name: String, run: () throws -> Void)] = []
  for transport in isAlone ? [.automatic] : try transports(world) {
    let reduction = try TreeReduction(world, slices: world.size, count: count, transport: transport)
    let chosen = reduction.transport
    report("TreeReduction, \(chosen): \(reduction.transportReason)", world)
    let slot = reduction.slot(for: world.rank)
    let run = {
      reduction.finish(slice: world.rank, ranges: [0..<count])
      try reduction.allReduce(ranges: [0..<count])
    }
    for i in 0..<count { slot[i] = Float(i % 97) }
    methods.append(("TreeReduction, \(chosen)", run))
  }
  guard !isAlone else { return try compare(methods, world, rounds: rounds) }
  let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
  values.initialize(repeating: 1)
  defer { values.deallocate() }
  for (name, piece) in [("one call", count), ("1 MiB pieces", 1 << 18)] {
    let run = {
      for start in stride(from: 0, to: count, by: piece) {
        try world.allReduce(.init(rebasing: values[start..<min(start + piece, count)]))
      }
    }
    methods.append(("MPI_Allreduce, \(name)", run))
  }
  try compare(methods, world, rounds: rounds)
}

/// What is chosen, and messages between all ranks beside it.
private func transports(_ world: Communicator) throws -> [Transport] {
  guard world.size > 1 else { return [.local] }
  return [.automatic, .messages]
}

private func compare(
  _ methods: [(name: String, run: () throws -> Void)], _ world: Communicator, rounds: Int
) throws {
  var times = methods.map { _ in [Double]() }
  for _ in 0..<rounds {
    for (index, method) in methods.enumerated() {
      try world.barrier()
      let start = milliseconds()
      try method.run()
      times[index].append(try world.allReduce([milliseconds() - start], .maximum)[0])
    }
  }
  for (method, times) in zip(methods, times) {
    let sorted = times.sorted()
    let (best, median) = (rounded(sorted[0]), rounded(sorted[sorted.count / 2]))
    report("\(world.size) ranks, \(method.name): best \(best) ms, median \(median) ms", world)
  }
}

private func rounded(_ value: Double) -> Double { (value * 1e3).rounded() / 1e3 }

private func milliseconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) * 1e-6
}
