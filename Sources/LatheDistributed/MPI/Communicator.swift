import CMPI

/// A group of ranks that call collectives together.
///
/// Every method that is not a plain property is collective: all ranks of the communicator must call
/// it, in the same order. All of them throw `MPIError` when MPI does.
public final class Communicator: Sendable {
  /// This process's number in the communicator, from 0.
  public let rank: Int
  /// The number of ranks.
  public let size: Int
  /// The name of the machine that this rank runs on.
  public let host: String
  let handle: CMPICommunicator

  init(_ handle: CMPICommunicator) throws(MPIError) {
    var rank: CInt = 0
    var size: CInt = 0
    try check("MPI_Comm_set_errhandler", cmpi_return_errors(handle))
    try check("MPI_Comm_rank", cmpi_rank(handle, &rank))
    try check("MPI_Comm_size", cmpi_size(handle, &size))
    self.handle = handle
    self.rank = Int(rank)
    self.size = Int(size)
    self.host = mpiText(cmpi_processor_name) ?? "unknown host"
  }

  /// Waits until every rank has called it.
  public func barrier() throws(MPIError) {
    try check("MPI_Barrier", cmpi_barrier(handle))
  }

  /// The ranks that run on this rank's host and can share memory with it, in rank order.
  public func hostCommunicator() throws(MPIError) -> Communicator {
    var host = CMPICommunicator()
    try check("MPI_Comm_split_type", cmpi_split_host(handle, &host))
    return try Communicator(host)
  }

  /// The ranks that give the same number, ordered by `key` and rank.
  public func split(_ number: Int, key: Int = 0) throws(MPIError) -> Communicator {
    var part = CMPICommunicator()
    let (color, key) = try (mpiCount(number, "MPI_Comm_split"), mpiCount(key, "MPI_Comm_split"))
    try check("MPI_Comm_split", cmpi_split(handle, color, key, &part))
    return try Communicator(part)
  }

  /// The same ranks, those of a host one after another, hosts in the order of their first ranks.
  func orderedByHost() throws(MPIError) -> Communicator {
    guard size > 1 else { return self }
    let host = try hostCommunicator()
    let first = try Int64(host.allReduce([Double(rank)], .minimum)[0])
    try host.free()
    let firsts = try allGather(first)
    let order = firsts.indices.sorted { (firsts[$0], $0) < (firsts[$1], $1) }
    guard order != Array(firsts.indices) else { return self }
    return try split(0, key: order.firstIndex(of: rank)!)
  }

  /// Gives back a communicator made by `hostCommunicator` or `split`. It must not be used
  /// afterwards.
  public func free() throws(MPIError) {
    try check("MPI_Comm_free", cmpi_free_communicator(handle))
  }
}
