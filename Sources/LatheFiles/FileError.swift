import SystemPackage

/// What is wrong with a file or folder: what, where, what was expected and what was found.
public struct FileError: Error, Equatable, Sendable {
  /// The ways in which a file can fail its reader or writer.
  public enum Kind: Sendable {
    /// A file or folder does not exist or cannot be read.
    case missing
    /// The content is not what the file's format promises.
    case damaged
    /// An intact file of something else: other tensors, shapes or version.
    case mismatch
    /// A file or folder cannot be created or written.
    case unwritable
  }

  /// Missing, damaged, of something else, or unwritable.
  public let kind: Kind
  /// The thing at fault, for example `magic number`; for a system error what was tried, `write`.
  public let what: String?
  /// The file or folder, if it is one.
  public let path: FilePath?
  /// The tensor concerned, if it is about one.
  public let tensor: String?
  /// Bytes from the start of the file; for a gzip file, see `isExpandedOffset`.
  public let offset: Int?
  /// Whether `offset` counts bytes of the expanded content of a gzip file.
  public let isExpandedOffset: Bool
  /// The line of a text file, counted from 1.
  public let line: Int?
  /// What should have been there; for a full disk the space needed.
  public let expected: String?
  /// What was there; for a full disk the space free.
  public let found: String?
  /// What the user can do about it.
  public var hint: String?
  /// The system's own error, if a system call failed.
  public let systemError: Errno?

  /// An error; give `what`, or `expected` and `found`, or all three.
  public init(
    _ kind: Kind, _ what: String? = nil, path: FilePath? = nil, tensor: String? = nil,
    offset: Int? = nil, isExpandedOffset: Bool = false, line: Int? = nil,
    expected: String? = nil, found: String? = nil, hint: String? = nil, systemError: Errno? = nil
  ) {
    self.kind = kind
    self.what = what
    self.path = path
    self.tensor = tensor
    self.offset = offset
    self.isExpandedOffset = isExpandedOffset
    self.line = line
    self.expected = expected
    self.found = found
    self.hint = hint
    self.systemError = systemError
  }
}

extension FileError: CustomStringConvertible {
  /// One line: `magic number: expected 2051, found 2049 in data/labels at byte 0`, or
  /// `cannot write a.npz: No space left on device (400 bytes needed, 12 free)`.
  public var description: String {
    let text = systemError.map(systemDescription) ?? contentDescription
    return (hint.map { "\(text). \($0)" } ?? text).printable
  }

  private var contentDescription: String {
    var parts = [tensor, what].compactMap { $0 }
    if let expected, let found { parts.append("expected \(expected), found \(found)") }
    var text = parts.joined(separator: ": ")
    if let path { text += " in \(path.printable)" }
    if let offset { text += " at byte \(offset)" + (isExpandedOffset ? " once expanded" : "") }
    if let line { text += ", line \(line)" }
    return text
  }

  private func systemDescription(_ error: Errno) -> String {
    let text = "cannot \(what ?? "use")\(path.map { " \($0.printable)" } ?? ""): \(error)"
    guard let expected, let found else { return text }
    return text + " (\(expected) needed, \(found) free)"
  }
}
