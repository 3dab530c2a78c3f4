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
    let count = try mpiCount(byteCount, "MPI_Isend")
    var request = CMPIRequest()
    try check(
      "MPI_Isend", cmpi_start_send(world.handle, bytes, count, CInt(peer), tag, &request))
    requests.append(request)
  }

  /// Receives bytes, which are there when ``wait(_:)`` returns.
  func receive(
    _ byteCount: Int, into target: UnsafeMutableRawPointer, from peer: Int, tag: CInt
  ) throws(MPIError) {
    let count = try mpiCount(byteCount, "MPI_Irecv")
    var request = CMPIRequest()
    try check(
      "MPI_Irecv", cmpi_start_receive(world.handle, target, count, CInt(peer), tag, &request))
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
