import CZlib
import SystemPackage

/// The expanded content of a gzip file: its members one after another, the CRC-32 and length of
/// each checked at its end. Zeros after the last are padding.
package struct GzipSource: ~Copyable, ByteSource {
  private let path: FilePath
  private let input: [UInt8]
  private var consumed = 0
  private var ended = false
  package private(set) var offset = 0
  // inflate remembers its address, so the stream must not move.
  private let stream: UnsafeMutablePointer<z_stream>

  package var isExpanded: Bool { true }

  /// The two bytes with which each gzip file begins.
  package static func begins(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1f, 0x8b]) }

  package init(_ input: [UInt8], path: FilePath) {
    self.path = path
    self.input = input
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let gzipOnly: Int32 = 15 + 16  // the largest window; 16 asks for a gzip header
    let size = Int32(MemoryLayout<z_stream>.size)
    let status = inflateInit2_(stream, gzipOnly, ZLIB_VERSION, size)
    require(status == Z_OK, "GzipSource: inflateInit2 returned \(status)")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// The next `count` expanded bytes, fewer only at the end of an intact stream.
  ///
  /// - Throws: `FileError` (damaged) for a stream that is cut short, invalid, of another CRC-32
  ///   or length than its trailer says, followed by bytes that are no further member, or that
  ///   expands to more than `Limit.images` bytes at once or `Limit.stream` in all.
  package mutating func read(upTo count: Int) throws(FileError) -> [UInt8] {
    // Deflate expands at most 1032 times, so a wild count allocates no more than the file can fill;
    // 64 KiB may still wait inside zlib's window.
    let room = (input.count - consumed + 1).multipliedReportingOverflow(by: 1032).partialValue
    var output = [UInt8](
      repeating: 0, count: min(count, room + 65536, Limit.images + 1))
    var filled = 0
    while filled < output.count && !ended {
      filled += try expand(into: &output, from: filled)
    }
    if filled > Limit.images { throw tooLong(Limit.images) }
    if output.count > filled { output.removeLast(output.count - filled) }
    offset += filled
    if offset > Limit.stream { throw tooLong(Limit.stream) }
    return output
  }

  private func tooLong(_ limit: Int) -> FileError {
    Limit.exceeded("gzip stream", "more once expanded", limit: limit, in: path, at: consumed)
  }

  /// One call of `inflate`; returns the number of bytes written at `start`.
  private mutating func expand(into output: inout [UInt8], from start: Int) throws(FileError)
    -> Int
  {
    let room = UInt32(clamping: output.count - start)
    let available = UInt32(clamping: input.count - consumed)
    let status = input.withUnsafeBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress! + consumed)
        stream.pointee.avail_in = available
        stream.pointee.next_out = target.baseAddress! + start
        stream.pointee.avail_out = room
        return inflate(stream, Z_NO_FLUSH)
      }
    }
    consumed += Int(available - stream.pointee.avail_in)
    let written = Int(room - stream.pointee.avail_out)
    try check(status, written: written)
    return written
  }

  private mutating func check(_ status: Int32, written: Int) throws(FileError) {
    switch status {
    case Z_STREAM_END: try beginNextMember()
    case Z_OK where consumed < input.count || written > 0:
      return
    case Z_OK, Z_BUF_ERROR:
      throw damaged(
        expected: "more than \(input.count) bytes of gzip stream", found: "the end of the file")
    case Z_MEM_ERROR:
      trap("GzipSource: out of memory")
    default:
      let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)"
      throw damaged(expected: "an intact stream", found: reason)
    }
  }

  /// After a member: another one, or zeros up to the end of the file.
  private mutating func beginNextMember() throws(FileError) {
    let rest = input[consumed...]
    if GzipSource.begins(Array(rest.prefix(2))) {
      let status = inflateReset(stream)
      return require(status == Z_OK, "GzipSource: inflateReset returned \(status)")
    }
    ended = true
    guard rest.allSatisfy({ $0 == 0 }) else {
      throw damaged(
        expected: "the end of the file, or another gzip member", found: "\(rest.count) more bytes")
    }
  }

  private func damaged(expected: String, found: String) -> FileError {
    FileError(
      .damaged, "gzip stream", path: path, offset: consumed, expected: expected, found: found)
  }
}
