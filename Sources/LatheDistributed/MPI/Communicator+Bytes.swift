import CMPI
import LatheFiles

/// The tag of the messages of `gather`.
private let gatherTag: CInt = 1

// Long messages travel in pieces, because MPI counts in C ints. Both sides know the length first,
// so neither the number of pieces nor an empty message needs an exchange of its own.
extension Communicator {
  /// The longest piece of one message, in bytes.
  package static let pieceBytes = 1 << 30

  /// The root's bytes, of any length, on every rank; what the others pass is ignored.
  public func broadcast(_ bytes: [UInt8], from root: Int) throws(MPIError) -> [UInt8] {
    try broadcast(bytes, from: root, pieceBytes: Self.pieceBytes)
  }

  /// Like `broadcast(_:from:)`, in pieces of at most `pieceBytes`.
  package func broadcast(
    _ bytes: [UInt8], from root: Int, pieceBytes: Int
  ) throws(MPIError) -> [UInt8] {
    var length = Int64(bytes.count)
    let code = withUnsafeMutableBytes(of: &length) {
      cmpi_broadcast_bytes(handle, $0.baseAddress, CInt($0.count), CInt(root))
    }
    try check("MPI_Bcast", code)
    var result = rank == root ? bytes : [UInt8](repeating: 0, count: Int(length))
    try forEachPiece(of: &result, pieceBytes: pieceBytes, "MPI_Bcast") { start, count in
      cmpi_broadcast_bytes(handle, start, count, CInt(root))
    }
    return result
  }

  /// What `body` returns on the root, on every rank; `body` runs on the root alone.
  ///
  /// - Throws: `RootError` on every rank when `body` throws, with the description of its error.
  public func broadcast(from root: Int, _ body: () throws -> [UInt8]) throws -> [UInt8] {
    var outcome: [UInt8] = []
    var failure: (any Error)?
    if rank == root {
      // The last byte tells a value (0) from the description of an error (1).
      do { outcome = try body() + [0] } catch {
        failure = error
        outcome = Array("\(error)".utf8) + [1]
      }
    }
    outcome = try broadcast(outcome, from: root)
    guard outcome.removeLast() == 0 else {
      throw RootError(
        root: root, description: String(decoding: outcome, as: UTF8.self), underlying: failure)
    }
    return outcome
  }

  /// Overwrites `values` on every rank with the root's. The number of values must be the same on
  /// every rank.
  public func broadcast(
    _ values: UnsafeMutableBufferPointer<Float>, from root: Int
  ) throws(MPIError) {
    let step = Self.pieceBytes / MemoryLayout<Float>.stride
    for start in stride(from: 0, to: values.count, by: step) {
      let count = try mpiCount(min(step, values.count - start), "MPI_Bcast")
      let code = cmpi_broadcast_floats(handle, values.baseAddress! + start, count, CInt(root))
      try check("MPI_Bcast", code)
    }
  }

  /// Every rank's values, in rank order, on the root; nil elsewhere. Lengths may differ.
  package func gather<Value: BitwiseCopyable>(
    values: [Value], at root: Int
  ) throws(MPIError) -> [[Value]]? {
    let own = values.withUnsafeBytes { Array($0) }
    return try gather(own, at: root)?.map { [Value](ofBytes: $0) }
  }

  /// Every rank's bytes, in rank order, on the root; nil elsewhere. Lengths may differ.
  public func gather(_ bytes: [UInt8], at root: Int) throws(MPIError) -> [[UInt8]]? {
    let lengths = try allGather(Int64(bytes.count))
    var own = bytes
    guard rank == root else {
      try forEachPiece(of: &own, pieceBytes: Self.pieceBytes, "MPI_Send") { start, count in
        cmpi_send_bytes(handle, start, count, CInt(root), gatherTag)
      }
      return nil
    }
    var all: [[UInt8]] = []
    for (source, length) in lengths.enumerated() {
      all.append(source == root ? own : try receive(Int(length), from: source))
    }
    return all
  }

  /// Every rank's bytes, in rank order, on every rank. Lengths may differ.
  public func allGather(_ bytes: [UInt8]) throws(MPIError) -> [[UInt8]] {
    let lengths = try allGather(Int64(bytes.count)).map(Int.init)
    guard lengths.reduce(0, +) <= Self.pieceBytes else {
      var all: [[UInt8]] = []
      for source in 0..<size { all.append(try broadcast(bytes, from: source)) }
      return all
    }
    var starts = [0]
    for length in lengths { starts.append(starts.last! + length) }
    var all = [UInt8](repeating: 0, count: starts.last!)
    let code = cmpi_all_gather_bytes(
      handle, bytes, CInt(bytes.count), &all, lengths.map { CInt($0) }, starts.map { CInt($0) })
    try check("MPI_Allgatherv", code)
    return lengths.indices.map { Array(all[starts[$0]..<starts[$0 + 1]]) }
  }

  /// Every rank's bytes where they differ from rank 0's on any of them; nil, after the exchange of
  /// a digest, where all have the same.
  package func differing(_ bytes: [UInt8]) throws(MPIError) -> [[UInt8]]? {
    let digest = SHA256.digest(of: bytes)
    let isSame = try broadcast(digest, from: 0) == digest
    return try allAgree(isSame) ? nil : allGather(bytes)
  }

  /// Every rank's floats, in rank order, on every rank; as many from each.
  ///
  /// - Throws: also when `all` has not the room of `size` times the values.
  public func allGather(
    _ values: UnsafeBufferPointer<Float>, into all: UnsafeMutableBufferPointer<Float>
  ) throws(MPIError) {
    guard all.count == size * values.count else {
      throw MPIError(
        routine: "allGather",
        text: "expected room for \(size) × \(values.count) floats, found \(all.count)")
    }
    let count = try mpiCount(values.count, "MPI_Allgather")
    try check(
      "MPI_Allgather",
      cmpi_all_gather_floats(handle, values.baseAddress, count, all.baseAddress))
  }

  /// Every rank's integer, in rank order, on every rank.
  func allGather(_ value: Int64) throws(MPIError) -> [Int64] {
    var all = [Int64](repeating: 0, count: size)
    try check("MPI_Allgather", cmpi_all_gather_integer(handle, value, &all))
    return all
  }

  private func receive(_ count: Int, from source: Int) throws(MPIError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try forEachPiece(of: &bytes, pieceBytes: Self.pieceBytes, "MPI_Recv") { start, count in
      cmpi_receive_bytes(handle, start, count, CInt(source), gatherTag)
    }
    return bytes
  }

  /// Calls an MPI routine for each piece of the bytes.
  private func forEachPiece(
    of bytes: inout [UInt8], pieceBytes: Int, _ routine: String,
    _ call: (UnsafeMutableRawPointer, CInt) -> CInt
  ) throws(MPIError) {
    for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
      let count = try mpiCount(min(pieceBytes, bytes.count - start), routine)
      let code = bytes.withUnsafeMutableBytes { call($0.baseAddress! + start, count) }
      try check(routine, code)
    }
  }
}

extension Communicator {
  /// Runs `body` on rank 0; its error is thrown on every rank. Collective.
  package func broadcast0(_ body: () throws -> Void) throws {
    _ = try broadcast(from: 0) {
      try body()
      return []
    }
  }
}

extension Array where Element: BitwiseCopyable {
  /// The values that these bytes are.
  package init(ofBytes bytes: [UInt8]) {
    self.init(unsafeUninitializedCapacity: bytes.count / MemoryLayout<Element>.stride) {
      buffer, count in
      UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
      count = buffer.count
    }
  }
}
