import SystemPackage

/// What is wrong with a checkpoint: what, where, what was expected, what was found.
public struct CheckpointError: Error, Equatable, Sendable {
  /// The cause, as the command line's exit status distinguishes it.
  public enum Kind: Sendable {
    /// A file or folder does not exist or cannot be read (exit status 66).
    case missing
    /// The bytes are not those of an intact checkpoint (exit status 65).
    case damaged
    /// An intact checkpoint of something else: other tensors, shapes or version (exit status 65).
    case mismatch
    /// A file or folder cannot be created or written (exit status 73).
    case unwritable
  }

  /// The cause.
  public let kind: Kind
  /// The file or folder concerned.
  public let file: FilePath
  /// The tensor concerned, if it is about one.
  public let tensor: String?
  /// What was compared or attempted; `nil` where `expected` and `found` (shapes) say it all.
  public let what: String?
  /// Bytes from the start of the file, where one place is at fault.
  public let offset: Int?
  /// What should have been there.
  public let expected: String?
  /// What was there.
  public let found: String?
  /// The system's own error, if a system call failed.
  public let systemError: Errno?

  /// An error; `file` and either `what` or `expected` and `found` are its least.
  public init(
    _ kind: Kind, in file: FilePath, tensor: String? = nil, _ what: String? = nil,
    offset: Int? = nil, expected: String? = nil, found: String? = nil, systemError: Errno? = nil
  ) {
    self.kind = kind
    self.file = file
    self.tensor = tensor
    self.what = what
    self.offset = offset
    self.expected = expected
    self.found = found
    self.systemError = systemError
  }
}

extension CheckpointError: CustomStringConvertible {
  /// One line: `encoder.conv0.weight: expected [4, 4, 3, 64], found [4, 4, 1, 64] in FILE`, or
  /// `cannot write FILE: No space left on device (400 bytes needed, 12 free)`.
  public var description: String {
    if let systemError { return systemDescription(systemError) }
    var parts = [tensor, what].compactMap { $0 }
    if let expected, let found { parts.append("expected \(expected), found \(found)") }
    let place = offset.map { " at byte \($0)" } ?? ""
    return parts.joined(separator: ": ") + place + " in \(file)"
  }

  private func systemDescription(_ error: Errno) -> String {
    var line = "cannot \(what ?? "use") \(file): \(error)"
    if let expected, let found { line += " (\(expected) needed, \(found) free)" }
    return line
  }
}
