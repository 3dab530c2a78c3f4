import Foundation
import Synchronization

/// A server of files by HTTP on 127.0.0.1, until it is let go.
public final class LoopbackServer: Sendable {
  /// What was asked for.
  public struct Request: Sendable {
    /// A path; a whole address if the server is asked as a proxy.
    public let target: String
    /// The first byte asked for, if not all are.
    public let start: Int?
  }

  /// What is sent.
  public struct Answer: Sendable {
    let status: Int
    let bytes: [UInt8]
    let end: End

    /// What happens when all has been sent, or so many bytes: the connection is closed, or kept
    /// open without another byte. A server without ranges sends all, whatever is asked for.
    public enum End: Sendable { case whole, withoutRanges, cut(Int), stall(Int) }

    public init(_ bytes: [UInt8], status: Int = 200, _ end: End = .whole) {
      (self.status, self.bytes, self.end) = (status, bytes, end)
    }

    public static let notFound = Answer(Array("<html>no such file</html>".utf8), status: 404)
  }

  private let listener: Int32
  private let port: UInt16
  private let log = Log()

  private final class Log: Sendable { let requests = Mutex<[Request]>([]) }

  /// What has been asked for so far.
  public var requests: [Request] { log.requests.withLock { $0 } }
  public var address: String { "http://127.0.0.1:\(port)/" }

  public init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutableBytes(of: &name) { bytes in
      let name = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
      return bind(listener, name, size) == 0 && listen(listener, 8) == 0
        && getsockname(listener, name, &size) == 0
    }
    guard isBound else {
      throw ProcessError.notStarted("server", reason: String(cString: strerror(errno)))
    }
    (self.listener, port) = (listener, UInt16(bigEndian: name.sin_port))
    Thread.detachNewThread { [log] in
      while case let client = accept(listener, nil, nil), client >= 0 {
        if let request = Self.request(of: client) {
          log.requests.withLock { $0.append(request) }
          Self.send(answer(request), from: request.start, to: client)
        }
        close(client)
      }
      close(listener)
    }
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  private static func request(of client: Int32) -> Request? {
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !text.contains("\r\n\r\n") {
      let count = recv(client, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      text += String(decoding: buffer[..<count], as: UTF8.self)
    }
    let start = text.firstMatch(of: #/Range: bytes=([0-9]+)-/#).flatMap { Int($0.1) }
    return Request(target: String(text.split(separator: " ")[1]), start: start)
  }

  private static func send(_ answer: Answer, from start: Int?, to client: Int32) {
    var (status, first, last) = (answer.status, 0, answer.bytes.count)
    var isStalled = false
    switch answer.end {
    case .whole: if let start, status == 200 { (status, first) = (206, min(start, last)) }
    case .withoutRanges: break
    case .cut(let count): last = count
    case .stall(let count): (last, isStalled) = (count, true)
    }
    var head = "HTTP/1.1 \(status) -\r\nContent-Length: \(answer.bytes.count - first)\r\n"
    if status == 206 {
      let all = answer.bytes.count
      head += "Content-Range: bytes \(first)-\(all - 1)/\(all)\r\n"
    }
    var rest = Array((head + "Connection: close\r\n\r\n").utf8)[...] + answer.bytes[first..<last]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Foundation.send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
    // The end of the client is the next that is read.
    var byte: UInt8 = 0
    if isStalled { recv(client, &byte, 1, 0) }
  }
}
