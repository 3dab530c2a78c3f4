import SystemPackage

/// What is wrong with a data set's files: what, where, what was expected and what was found.
public struct DatasetError: Error, Equatable, Sendable {
  /// The ways in which files can fail a reader or writer.
  public enum Kind: Sendable {
    /// A file or folder is not there or cannot be read.
    case missing
    /// A file was read and its content is not what its format promises.
    case damaged
    /// A file cannot be written.
    case unwritable
  }

  /// Missing, damaged or unwritable.
  public let kind: Kind
  /// The thing at fault, for example `magic number`.
  public let what: String
  /// The file or folder, if it is one.
  public let path: FilePath?
  /// Where in the file, in bytes from its start; for a gzip file, see `isExpandedOffset`.
  public let offset: Int?
  /// Whether `offset` counts bytes of the expanded content of a gzip file.
  public let isExpandedOffset: Bool
  /// Which line of a text file, counted from 1.
  public let line: Int?
  /// What should have been there.
  public let expected: String
  /// What was there.
  public let found: String
  /// What the user can do about it.
  public let hint: String?

  /// An error; see the properties for the meaning of the arguments.
  public init(
    _ kind: Kind, _ what: String, path: FilePath? = nil, offset: Int? = nil,
    isExpandedOffset: Bool = false, line: Int? = nil, expected: String, found: String,
    hint: String? = nil
  ) {
    self.kind = kind
    self.what = what
    self.path = path
    self.offset = offset
    self.isExpandedOffset = isExpandedOffset
    self.line = line
    self.expected = expected
    self.found = found
    self.hint = hint
  }

  /// The process exit status of `sysexits.h`: 66 (no input) for missing, 65 (data error) for damaged,
  /// 73 (cannot create) for unwritable.
  public var exitStatus: Int32 {
    switch kind {
    case .missing: 66
    case .damaged: 65
    case .unwritable: 73
    }
  }
}

extension DatasetError: CustomStringConvertible {
  /// For example `magic number: expected 2051, found 2049 in data/labels at byte 0`.
  public var description: String {
    var text = "\(what): expected \(expected), found \(found)"
    if let path { text += " in \(path)" }
    if let offset { text += " at byte \(offset)" + (isExpandedOffset ? " once expanded" : "") }
    if let line { text += ", line \(line)" }
    if let hint { text += ". \(hint)" }
    return text
  }
}
