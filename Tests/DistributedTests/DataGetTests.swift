import Foundation
import TestSupport
import Testing

/// `lathe data get`, from servers on the loopback.
@Suite(.enabled(if: isInstalled("curl"), "needs the program curl")) struct DataGetTests {
  /// The four files of MNIST, if they are there.
  private static let mnist = ProcessInfo.processInfo.environment["LATHE_MNIST"]

  private func get(
    _ arguments: [String], in folder: String, _ environment: [String: String?] = [:]
  ) throws -> ProcessResult {
    let text = "cd '\(folder)' && exec '\(try builtExecutable("lathe"))' data get \"$@\""
    return try runProcess(
      "/bin/bash", ["-c", text, "-"] + arguments,
      environment: ["LATHE_DATA": nil, "no_proxy": "", "NO_PROXY": ""]
        .merging(environment) { $1 },
      timeout: 60)
  }

  private func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  /// A server of a folder's files.
  private func server(of folder: String) throws -> LoopbackServer {
    try LoopbackServer { request in
      let name = request.target.split(separator: "/").last.map(String.init) ?? ""
      guard let file = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
        return .notFound
      }
      return .init(Array(file))
    }
  }

  /// Fetched through a proxy, found again, and used without `--data`; by the script too.
  @Test(.enabled(if: mnist != nil, "needs MNIST's files in the folder LATHE_MNIST"))
  func theRealFiles() throws {
    let server = try server(of: try #require(Self.mnist))
    try withFolder { folder in
      let first = try get(
        ["mnist", "--url", "http://files.invalid/mnist"], in: folder,
        ["http_proxy": server.address])
      #expect(first.status == 0 && first.output == "mnist: data/mnist\n", "\(first)")
      #expect(try names("\(folder)/data/mnist").count == 4)
      #expect(
        server.requests.map(\.target).allSatisfy { $0.hasPrefix("http://files.invalid/mnist/t") })
      let again = try get(["mnist"], in: folder)
      #expect(again.output == "mnist is there, whole: data/mnist\n", "\(again)")
      let script = try get(["mnist", "--url", server.address, "--print"], in: folder)
      try script.output.write(toFile: "\(folder)/get.sh", atomically: true, encoding: .utf8)
      for words in ["right", "there"] {
        let run = try runProcess("sh", ["\(folder)/get.sh", "\(folder)/by hand"], timeout: 60)
        #expect(
          run.status == 0 && run.output.contains("k-images-idx3-ubyte.gz: \(words)"), "\(run)")
      }
      #expect(try names("\(folder)/by hand") == names("\(folder)/data/mnist"))
    }
  }

  @Test func ctrlCLeavesTheBeginning() throws {
    let server = try LoopbackServer { _ in .init([UInt8](repeating: 7, count: 99_999), .stall(5000))
    }
    try withFolder { folder in
      let text = """
        lathe='\(try builtExecutable("lathe"))'
        "$lathe" data get mnist --root '\(folder)' --url \(server.address) &
        until [ -s '\(folder)/mnist/train-images-idx3-ubyte.gz.part' ]; do sleep 0.1; done
        kill -TERM $!
        wait $!
        """
      let result = try runProcess("bash", ["-c", text], timeout: 60)
      #expect(
        result.status == 75 && result.errorOutput.contains("stopped by SIGTERM after byte "),
        "\(result)")
      #expect(try names("\(folder)/mnist") == ["train-images-idx3-ubyte.gz.part"])
    }
  }

  /// No server, no curl, no folder, no such set, another answer; CelebA must be asked for.
  @Test func faultsHaveAMessageAndAStatus() throws {
    let server = try LoopbackServer { _ in .init(Array("<html><title>No</title></html>".utf8)) }
    try withFolder { folder in
      let own = ["--root", folder, "--url", server.address]
      let faults: [([String], [String: String?], Int32, String)] = [
        (["cifar10", "--root", folder, "--url", "http://127.0.0.1:1"], [:], 69, "onnect"),
        (["cifar10"] + own, ["PATH": folder], 69, "conda install curl"),
        (
          ["cifar10", "--root", "/dev/null", "--url", server.address], [:], 73,
          "cannot create /dev/null"
        ),
        (["synthetic"], [:], 64, "expected mnist, fashion-mnist, cifar10, celeba"),
        (["mnist", "--url", "files"], [:], 64, "expected http://"),
        (["cifar10"] + own, [:], 65, "an HTML page, \"No\""),
        (["celeba", "--root", folder], [:], 66, "75e246fa4810816ffd6ee81facbd244c"),
      ]
      for (arguments, environment, status, words) in faults {
        let result = try get(arguments, in: folder, environment)
        #expect(result.status == status && result.errorOutput.contains(words), "\(result)")
      }
      let files = try FileManager.default.subpathsOfDirectory(atPath: folder)
      #expect(files.allSatisfy { ["cifar10"].contains($0) }, "\(files)")
    }
  }

  @Test func trainingNamesTheCommand() throws {
    try withFolder { folder in
      let text = "cd '\(folder)' && exec '\(try builtExecutable("lathe"))' train vae mnist"
      let result = try runProcess(
        "bash", ["-c", text], environment: ["LATHE_DATA": nil], timeout: 60)
      #expect(
        result.status == 66 && result.errorOutput.contains("lathe data get mnist"), "\(result)")
    }
  }
}
