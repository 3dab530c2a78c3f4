import SystemPackage

/// What is wrong with a data set's files: what, where, what was expected and what was found.
public struct DatasetError: Error, Equatable, Sendable {
  /// The two ways in which files can fail a reader.
  public enum Kind: Sendable {
    /// A file or folder is not there or cannot be read.
    case missing
    /// A file was read and its content is not what its format promises.
    case damaged
  }

  /// Missing or damaged.
  public let kind: Kind
  /// The thing at fault, for example `magic number`.
  public let what: String
  /// The file or folder, if it is one.
  public let path: FilePath?
  /// Where in the file, in bytes from its start; for a gzip file, see `isExpandedOffset`.
  public let offset: Int?
  /// Whether `offset` counts bytes of the expanded content of a gzip file.
  public let isExpandedOffset: Bool
  /// What should have been there.
  public let expected: String
  /// What was there.
  public let found: String
  /// What the user can do about it.
  public let hint: String?

  /// An error; see the properties for the meaning of the arguments.
  public init(
    _ kind: Kind, _ what: String, path: FilePath? = nil, offset: Int? = nil,
    isExpandedOffset: Bool = false, expected: String, found: String, hint: String? = nil
  ) {
    self.kind = kind
    self.what = what
    self.path = path
    self.offset = offset
    self.isExpandedOffset = isExpandedOffset
    self.expected = expected
    self.found = found
    self.hint = hint
  }

  /// The process exit status of `sysexits.h`: 66 (no input) for missing, 65 (data error) for damaged.
  public var exitStatus: Int32 { kind == .missing ? 66 : 65 }
}

extension DatasetError: CustomStringConvertible {
  /// For example `magic number: expected 2051, found 2049 in data/labels at byte 0`.
  public var description: String {
    var text = "\(what): expected \(expected), found \(found)"
    if let path { text += " in \(path)" }
    if let offset { text += " at byte \(offset)" + (isExpandedOffset ? " once expanded" : "") }
    if let hint { text += ". \(hint)" }
    return text
  }
}
