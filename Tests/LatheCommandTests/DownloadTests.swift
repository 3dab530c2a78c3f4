import LatheCommand
import LatheData
import LatheFiles
import SystemPackage
import TestSupport
import Testing

/// Fetching files by curl from a server on the loopback that fails in many ways.
@Suite(.enabled(if: isInstalled("curl"), "needs the program curl")) struct DownloadTests {
  private let scratch: Scratch
  private static let content = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 251) }
  private let files = ["a.gz", "b.gz"].map { PublishedFile($0, content.count, digest) }

  private static var digest: String {
    SHA256.hexadecimal(SHA256.digest(of: content))
  }

  init() throws { scratch = try Scratch() }

  private func fetch(
    _ count: Int = 1, from servers: LoopbackServer..., below path: String = ""
  ) throws {
    try Download(
      Array(files.prefix(count)), from: servers.map { $0.address + path }, to: scratch.path
    ).run()
  }

  private func server(
    _ answer: @escaping @Sendable (LoopbackServer.Request) -> LoopbackServer.Answer = { _ in
      .init(content)
    }
  ) throws -> LoopbackServer { try LoopbackServer(answer) }

  private func leave(_ bytes: some Sequence<UInt8>, as name: String) throws {
    try write(Array(bytes), to: scratch.path.appending(name))
  }

  private func expectWhole(_ names: String...) throws {
    #expect(try TestSupport.names(in: scratch.path) == names)
    for name in names {
      #expect(try bytes(of: scratch.path.appending(name)) == Self.content)
    }
  }

  @Test func filesLieBelowTheAddress() throws {
    let server = try server()
    try fetch(2, from: server, below: "some/where")
    try expectWhole("a.gz", "b.gz")
    #expect(server.requests.map(\.target) == ["/some/where/a.gz", "/some/where/b.gz"])
  }

  @Test func aCutConnectionGoesOn() throws {
    let server = try server {
      $0.start == nil ? .init(Self.content, .cut(20_000)) : .init(Self.content)
    }
    try fetch(from: server)
    try expectWhole("a.gz")
    #expect(server.requests.map(\.start) == [nil, 20_000])
  }

  @Test func whatIsThereIsNotFetchedAgain() throws {
    try leave(Self.content, as: "a.gz")
    try leave(Self.content.prefix(30_000), as: "b.gz.part")
    let server = try server()
    try fetch(2, from: server)
    try expectWhole("a.gz", "b.gz")
    #expect(server.requests.map(\.start) == [30_000])
  }

  @Test func theNextMirrorIsTried() throws {
    let (first, second) = (try server { _ in .notFound }, try server())
    try fetch(from: first, second)
    try expectWhole("a.gz")
    #expect(first.requests.count == 1 && second.requests.count == 1)
  }

  /// A server without ranges, and a beginning that was something else: once more from the start.
  @Test func aBeginningThatDoesNotServeIsForgotten() throws {
    try leave(Self.content.prefix(9), as: "a.gz.part")
    try fetch(from: try server { _ in .init(Self.content, .withoutRanges) })
    try expectWhole("a.gz")
    try leave([UInt8](repeating: 1, count: 9), as: "b.gz.part")
    try fetch(2, from: try server())
    try expectWhole("a.gz", "b.gz")
  }

  /// A page in the place of a file, a file of other bytes, one that is longer.
  @Test(arguments: [
    (Array("<html><title>Log in</title></html>".utf8), "found 34, an HTML page, \"Log in\""),
    ([UInt8](repeating: 1, count: 50_000), "expected SHA-256"),
    ([UInt8](repeating: 1, count: 90_000), "found "),
  ])
  func wrongContentIsNotPutInPlace(_ content: [UInt8], words: String) throws {
    let server = try server { $0.target == "/a.gz" ? .init(Self.content) : .init(content) }
    let failure = try #require(throws: CommandFailure.self) { try fetch(2, from: server) }
    #expect(failure.status == 65 && failure.description.contains("b.gz could not be fetched"))
    #expect(failure.description.contains(words), "\(failure)")
    #expect(try names(in: scratch.path) == ["a.gz.part"])
  }

  @Test func nothingIsReplaced() throws {
    try leave([1], as: "a.gz")
    let server = try server()
    let failure = try #require(throws: CommandFailure.self) { try fetch(from: server) }
    #expect(failure.status == 73 && failure.description.contains("a.gz is another file"))
    #expect(server.requests.isEmpty)
    #expect(try bytes(of: scratch.path.appending("a.gz")) == [1])
  }

  @Test func nobodyAnswers() throws {
    let address = try server().address
    let download = Download([files[0]], from: [address], to: scratch.path)
    let failure = try #require(throws: CommandFailure.self) { try download.run() }
    #expect(failure.status == 69 && failure.description.contains("onnect"), "\(failure)")
  }
}
