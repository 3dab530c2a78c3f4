import Dispatch
import Foundation
import LatheNN
import LatheTensors

/// Lets this rank's slices take turns, each on a thread of its own up to the next place where all
/// slices meet.
///
/// One thread runs at a time, and handing over orders their accesses, so what they use needs no
/// locks.
final class SliceTurns {
  private let seats: [Seat]
  private let exchange: BatchExchange
  private let monitor: RankMonitor

  /// Threads for the slices `own`; collectives go over `world`.
  init(
    _ own: Range<Int>, of slices: Int, _ store: ParameterStore, on world: Communicator,
    monitor: RankMonitor
  ) {
    seats = own.map { Seat($0, of: slices, store) }
    exchange = BatchExchange(world, slices: slices)
    self.monitor = monitor
  }

  /// Runs `body` for each slice, and lets the slices of all ranks meet wherever it asks for the
  /// whole batch. Collective.
  func run(_ body: @escaping (_ slice: Int) -> Void) throws(MPIError) {
    for seat in seats { seat.begin(body) }
    while true {
      let requests = seats.map { $0.resume() }
      let asked = requests.compactMap { $0 }
      if asked.isEmpty { return }
      guard asked.count == requests.count, asked.allSatisfy(asked[0].isLike) else {
        throw MPIError(
          routine: "batch statistics",
          text: "slices \(seats.map(\.slice)) do not meet in the same place: \(requests)")
      }
      try monitor.meet { () throws(MPIError) in try exchange.answer(asked) }
    }
  }

  /// Ends the threads and gives back what ranks share. Collective.
  func free() throws(MPIError) {
    for seat in seats { seat.end() }
    try exchange.free()
  }
}

/// What a slice asks of all slices: they all ask the same.
struct SliceRequest {
  enum Kind { case gather, sum }
  let kind: Kind
  let count: Int
  let source: UnsafePointer<Float>
  let target: UnsafeMutablePointer<Float>

  func isLike(_ other: SliceRequest) -> Bool { kind == other.kind && count == other.count }
}

/// One slice's thread, which waits for its turn.
private final class Seat: SliceMeeting, @unchecked Sendable {
  let slice, slices: Int
  private let store: ParameterStore
  private let turn = DispatchSemaphore(value: 0)
  private let pause = DispatchSemaphore(value: 0)
  private var work: ((Int) -> Void)?
  private var request: SliceRequest?

  init(_ slice: Int, of slices: Int, _ store: ParameterStore) {
    self.slice = slice
    self.slices = slices
    self.store = store
    let thread = Thread { self.serve() }
    thread.stackSize = 16 << 20
    thread.start()
  }

  func begin(_ work: @escaping (Int) -> Void) { self.work = work }

  /// Runs on to the next request, nil at the end of the work.
  func resume() -> SliceRequest? {
    turn.signal()
    pause.wait()
    return request
  }

  func end() { turn.signal() }

  private func serve() {
    while true {
      turn.wait()
      guard let work else { return }
      WholeBatch.$meeting.withValue(self) { work(slice) }
      (self.work, request) = (nil, nil)
      pause.signal()
    }
  }

  func gather(_ values: UnsafePointer<Float>, count: Int, into all: UnsafeMutablePointer<Float>) {
    meet(SliceRequest(kind: .gather, count: count, source: values, target: all))
  }

  func sum(_ values: UnsafePointer<Float>, count: Int, into sum: UnsafeMutablePointer<Float>) {
    meet(SliceRequest(kind: .sum, count: count, source: values, target: sum))
  }

  /// Parameters and buffers are the other slices' while they have their turn.
  private func meet(_ request: SliceRequest) {
    let listening = store.listening
    self.request = request
    pause.signal()
    turn.wait()
    store.listening = listening
  }
}
