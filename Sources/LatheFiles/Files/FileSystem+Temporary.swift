import Glibc
import SystemPackage

// What is in the making has a name of its own beside its target, `.NAME.MACHINE-PID-RANDOM.KIND`:
// it cannot be guessed, so nobody can put a link there, and it says whose it is, so what a crash
// left can be told from what is being written.

/// A file or folder in the making, as its name tells.
package struct TemporaryName: Equatable, Sendable {
  /// The beginning of the name that it is to have.
  package let target: String
  /// What it is for: `tmp`, or a word of its owner's.
  package let kind: String
  package let machine: String
  package let process: Int
  private let random: String

  /// A new name.
  package init(for target: String, _ kind: String = "tmp") {
    // A name has at most 255 bytes.
    self.target = String(decoding: target.utf8.prefix(120), as: UTF8.self)
    self.kind = kind
    machine = ProcessIdentity.own.machine
    process = ProcessIdentity.own.number
    random = String(UInt64.random(in: 0 ... .max), radix: 36)
  }

  /// The name that ``text`` spells; nil for any other.
  package init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0].isEmpty else { return nil }
    let marks = parts[parts.count - 2].split(separator: "-", omittingEmptySubsequences: false)
    guard marks.count == 3, marks[0].utf8.count == 8, let process = Int(marks[1]),
      UInt64(marks[2], radix: 36) != nil
    else { return nil }
    target = parts[1..<parts.count - 2].joined(separator: ".")
    kind = String(parts[parts.count - 1])
    (machine, self.process, random) = (String(marks[0]), process, String(marks[2]))
  }

  package var text: String { ".\(target).\(machine)-\(process)-\(random).\(kind)" }

  /// Whether its owner still runs; nil if it was on another machine.
  package var isInUse: Bool? {
    machine == ProcessIdentity.own.machine ? ProcessIdentity.isRunning(process) : nil
  }
}

extension FileSystem {
  /// A name that nothing has yet, in the folder of `path`, for something that is to take its place.
  ///
  /// - Throws: `FileError` (unwritable) if `path` names no file.
  package static func temporaryPath(
    beside path: FilePath, _ kind: String = "tmp"
  ) throws(FileError) -> FilePath {
    guard let name = path.lastComponent?.string else {
      throw FileError(.unwritable, path: path, expected: "the name of a file", found: "none")
    }
    return path.removingLastComponent().appending(TemporaryName(for: name, kind).text)
  }

  /// Files and folders in the making, of this user and of a kind, whose owners no longer run: those
  /// of other machines count after a day without a change.
  package static func leftovers(in folder: FilePath, _ kind: String = "tmp") -> [FilePath] {
    let names = (try? names(in: folder)) ?? []
    return names.compactMap { TemporaryName($0) }.filter { $0.kind == kind }.filter { name in
      isLeftover(name, at: folder.appending(name.text))
    }.map { folder.appending($0.text) }
  }

  private static func isLeftover(_ name: TemporaryName, at path: FilePath) -> Bool {
    var status = stat()
    guard lstat(path.string, &status) == 0, status.st_uid == geteuid() else { return false }
    return name.isInUse.map { !$0 } ?? (time(nil) - status.st_mtim.tv_sec > 86_400)
  }

  /// Removes what processes that no longer run have left in the making.
  package static func removeLeftovers(in folder: FilePath, _ kind: String = "tmp") {
    for path in leftovers(in: folder, kind) { remove(path) }
  }
}

extension String {
  /// Whether this names a file or folder in a folder that is given: one component of a path, not
  /// hidden.
  package var isFileName: Bool {
    let bytes = Array(utf8)
    return !bytes.isEmpty && bytes.count < 256 && bytes[0] != UInt8(ascii: ".")
      && !bytes.contains { $0 == UInt8(ascii: "/") || $0 < 0x20 || $0 == 0x7F }
  }

  /// The text as part of a file's name: what is no letter, digit or one of `-_.,+=@` is `-`.
  package var asFileName: String {
    let marks: Set<Unicode.Scalar> = ["-", "_", ".", ",", "+", "=", "@"]
    let kept = unicodeScalars.map { scalar -> Character in
      let isKept = scalar.properties.isAlphabetic || scalar.properties.numericType != nil
      return isKept || marks.contains(scalar) ? Character(scalar) : "-"
    }
    let text = String(decoding: String(kept).utf8.prefix(100), as: UTF8.self)
    return text.hasPrefix(".") ? "-" + text.dropFirst() : text
  }
}
