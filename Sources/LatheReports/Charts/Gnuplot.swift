import Foundation
import SystemPackage

/// The program that draws charts, Debian's package `gnuplot-nox`.
package enum Gnuplot {
  /// What gnuplot writes to standard output for a script.
  ///
  /// - Throws: `ReportError.noGnuplot` if it is not installed, `.gnuplot` with its complaint.
  package static func run(_ script: String, for path: FilePath) throws(ReportError) -> [UInt8] {
    guard let program else { throw .noGnuplot }
    do {
      return try run(program, script, for: path)
    } catch let error as ReportError {
      throw error
    } catch {
      throw .gnuplot(path: path, reason: "\(error.localizedDescription)")
    }
  }

  private static var program: String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { "\($0)/gnuplot" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// The script goes through a file: both ends of two pipes would have to be served at once.
  private static func run(_ program: String, _ script: String, for path: FilePath) throws -> [UInt8]
  {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("lathe-\(UUID().uuidString).gnuplot")
    defer { try? FileManager.default.removeItem(at: file) }
    let complaints = file.appendingPathExtension("errors")
    try Data(script.utf8).write(to: file)
    try Data().write(to: complaints)
    defer { try? FileManager.default.removeItem(at: complaints) }

    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    // Not what is in a person's ~/.gnuplot.
    process.arguments = ["--default-settings", file.path]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: complaints)
    try process.run()
    let bytes = [UInt8](try output.fileHandleForReading.readToEnd() ?? Data())
    process.waitUntilExit()
    guard process.terminationStatus == 0, !bytes.isEmpty else {
      let text = (try? String(contentsOf: complaints, encoding: .utf8)) ?? ""
      throw ReportError.gnuplot(
        path: path,
        reason: text.split(separator: "\n").map(String.init).joined(separator: " ")
          + " (status \(process.terminationStatus))")
    }
    return bytes
  }
}
