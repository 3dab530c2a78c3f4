import CMPI
import Glibc

/// Messages between ranks that are under way together.
final class Requests {
  private let world: Communicator
  private var requests: [CMPIRequest] = []

  init(_ world: Communicator) { self.world = world }

  /// Sends bytes, which must stay as they are until ``wait(_:)`` returns.
  func send(
    _ bytes: UnsafeRawPointer, _ byteCount: Int, to peer: Int, tag: CInt
  ) throws(MPIError) {
    try start("MPI_Isend", byteCount) {
      cmpi_start_send(world.handle, bytes, $0, CInt(peer), tag, $1)
    }
  }

  /// Receives bytes, which are there when ``wait(_:)`` returns.
  func receive(
    _ byteCount: Int, into target: UnsafeMutableRawPointer, from peer: Int, tag: CInt
  ) throws(MPIError) {
    try start("MPI_Irecv", byteCount) {
      cmpi_start_receive(world.handle, target, $0, CInt(peer), tag, $1)
    }
  }

  private func start(
    _ routine: String, _ byteCount: Int,
    _ call: (CInt, UnsafeMutablePointer<CMPIRequest>) -> CInt
  ) throws(MPIError) {
    var request = CMPIRequest()
    try check(routine, call(try mpiCount(byteCount, routine), &request))
    requests.append(request)
  }

  /// Waits for all of them and forgets them.
  func wait(_ backOff: BackOff) throws(MPIError) {
    guard !requests.isEmpty else { return }
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
