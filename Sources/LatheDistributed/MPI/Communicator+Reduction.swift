import CMPI

/// How values of different ranks are combined.
public enum ReduceOperation: Sendable {
  case sum, minimum, maximum

  var code: CMPIReduce {
    switch self {
    case .sum: CMPIReduceSum
    case .minimum: CMPIReduceMinimum
    case .maximum: CMPIReduceMaximum
    }
  }
}

extension Communicator {
  /// Combines each value with the other ranks' at the same place; the same result on every rank.
  ///
  /// The order in which MPI adds is its own and changes with the number of ranks: what must not
  /// depend on that number goes through `TreeReduction`. The number of values must be the same on
  /// every rank.
  public func allReduce(
    _ values: [Double], _ operation: ReduceOperation
  ) throws(MPIError) -> [Double] {
    var values = values
    let count = try mpiCount(values.count, "MPI_Allreduce")
    try check("MPI_Allreduce", cmpi_all_reduce_doubles(handle, &values, count, operation.code))
    return values
  }

  /// The bits that any rank has set, on every rank.
  public func allReduceFlags(or flags: UInt32) throws(MPIError) -> UInt32 {
    var flags = flags
    try check("MPI_Allreduce", cmpi_all_reduce_or(handle, &flags))
    return flags
  }

  /// Whether the condition holds on every rank; the same answer on every rank.
  public func allAgree(_ condition: Bool) throws(MPIError) -> Bool {
    try allReduceFlags(or: condition ? 0 : 1) == 0
  }

  /// Sums the values over all ranks in place with one `MPI_Allreduce`, in MPI's own order.
  ///
  /// For measurements beside `TreeReduction`, whose order is fixed.
  package func allReduce(_ values: UnsafeMutableBufferPointer<Float>) throws(MPIError) {
    let count = try mpiCount(values.count, "MPI_Allreduce")
    try check("MPI_Allreduce", cmpi_all_reduce_floats(handle, values.baseAddress, count))
  }
}
