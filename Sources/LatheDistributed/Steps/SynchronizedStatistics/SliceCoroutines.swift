import Dispatch
import Foundation
import LatheNN
import LatheTensors

/// Runs this rank's slices as coroutines: each has a thread of its own, and one of them runs at a
/// time, up to the next collective over slices.
///
/// Handing over from thread to thread orders their accesses, so what they share needs no locks.
final class SliceCoroutines {
  private let coroutines: [SliceCoroutine]
  private let executor: CollectiveExecutor
  private let monitor: RankMonitor

  /// Threads for the slices `own`; collectives go over `world`.
  init(
    _ own: Range<Int>, of slices: Int, _ store: ParameterStore, on world: Communicator,
    monitor: RankMonitor
  ) {
    coroutines = own.map { SliceCoroutine($0, of: slices, store) }
    executor = CollectiveExecutor(world, slices: slices)
    self.monitor = monitor
  }

  /// Runs `body` for each slice; where it calls a collective over slices, all of them must call the
  /// same one. Collective.
  func run(_ body: @escaping (_ slice: Int) -> Void) throws(MPIError) {
    for coroutine in coroutines { coroutine.begin(body) }
    while let requests = try resumeAll() {
      try monitor.collective { () throws(MPIError) in try executor.execute(requests) }
    }
  }

  /// Runs each slice up to its next collective; nil when all have ended.
  private func resumeAll() throws(MPIError) -> [CollectiveRequest]? {
    let requests = coroutines.map { $0.resume() }
    let found = requests.compactMap { $0 }
    if found.isEmpty { return nil }
    guard found.count == requests.count, found.allSatisfy(found[0].isLike) else {
      throw MPIError(
        routine: "batch statistics",
        text: "slices \(coroutines.map(\.slice)) call different collectives: \(requests)")
    }
    return found
  }

  /// Ends the threads and gives back what ranks share. Collective.
  func free() throws(MPIError) {
    for coroutine in coroutines { coroutine.end() }
    try executor.free()
  }
}

/// A collective over slices, as one of them calls it.
struct CollectiveRequest {
  enum Kind { case allGather, allReduce }
  let kind: Kind
  let count: Int
  let source: UnsafePointer<Float>
  let target: UnsafeMutablePointer<Float>

  func isLike(_ other: CollectiveRequest) -> Bool { kind == other.kind && count == other.count }
}

/// One slice, on a thread that waits to be resumed.
private final class SliceCoroutine: SliceCollectives, @unchecked Sendable {
  let slice, slices: Int
  private let store: ParameterStore
  private let resumed = DispatchSemaphore(value: 0)
  private let suspended = DispatchSemaphore(value: 0)
  private var work: ((Int) -> Void)?
  private var request: CollectiveRequest?

  init(_ slice: Int, of slices: Int, _ store: ParameterStore) {
    self.slice = slice
    self.slices = slices
    self.store = store
    let thread = Thread { self.serve() }
    thread.stackSize = 16 << 20
    thread.start()
  }

  func begin(_ work: @escaping (Int) -> Void) { self.work = work }

  /// Runs on to the next collective; nil at the end of the work.
  func resume() -> CollectiveRequest? {
    resumed.signal()
    suspended.wait()
    return request
  }

  func end() { resumed.signal() }

  private func serve() {
    while true {
      resumed.wait()
      guard let work else { return }
      SynchronizedStatistics.$collectives.withValue(self) { work(slice) }
      (self.work, request) = (nil, nil)
      suspended.signal()
    }
  }

  func allGather(
    _ values: UnsafePointer<Float>, count: Int, into all: UnsafeMutablePointer<Float>
  ) {
    suspend(CollectiveRequest(kind: .allGather, count: count, source: values, target: all))
  }

  func allReduce(
    _ values: UnsafePointer<Float>, count: Int, into sum: UnsafeMutablePointer<Float>
  ) {
    suspend(CollectiveRequest(kind: .allReduce, count: count, source: values, target: sum))
  }

  /// Waits until the collective is done. Meanwhile parameters and buffers belong to other slices.
  private func suspend(_ request: CollectiveRequest) {
    let boundBuffers = store.boundBuffers
    self.request = request
    suspended.signal()
    resumed.wait()
    store.boundBuffers = boundBuffers
  }
}
