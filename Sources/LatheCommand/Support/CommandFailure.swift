import Foundation
import LatheData
import LatheExport
import LatheFiles
import LatheMetrics
import LatheModels
import LatheNN
import LatheReports
import LatheTraining
import Yams

/// A fault of the command's surroundings: one message and the exit status of `sysexits.h`.
package struct CommandFailure: Error, CustomStringConvertible {
  package let description: String
  package let status: Int32

  /// The command line contradicts itself or asks for what cannot be.
  static func usage(_ message: String) -> CommandFailure {
    CommandFailure(description: message, status: 64)
  }
  /// A file was read and is not what it should be.
  static func data(_ message: String) -> CommandFailure {
    CommandFailure(description: message, status: 65)
  }
  /// A file is not there.
  static func missing(_ message: String) -> CommandFailure {
    CommandFailure(description: message, status: 66)
  }
  /// A file cannot be written.
  static func unwritable(_ message: String) -> CommandFailure {
    CommandFailure(description: message, status: 73)
  }
}

extension CommandFailure {
  /// An error from anywhere, with the message and the status that people get.
  package init(_ error: any Error) {
    self.init(description: message(of: error), status: exitStatus(for: error))
  }
}

/// The exit status for an error from anywhere.
func exitStatus(for error: any Error) -> Int32 {
  switch error {
  case let error as CommandFailure: error.status
  case let error as TrainingError: error.exitStatus
  case let error as FeatureError: error.exitStatus
  case is ExportError, is ScoreError, is DecodingError, is EncodingError, is YamlError: 65
  case is SettingError, is ConfigurationError: 64
  case let error as SamplerError: error.exitStatus
  case let error as FileError: error.exitStatus
  case let error as ReportError: error.exitStatus
  case let error as CocoaError: error.exitStatus
  default: 70
  }
}

/// An error in words: what, where, expected, found.
func message(of error: any Error) -> String {
  switch error {
  case let error as DecodingError: error.inWords
  case EncodingError.invalidValue(let value, let context):
    "\(context.codingPath.map(\.stringValue).joined(separator: ".")): cannot be written: \(value)"
  case let error as CocoaError: error.inWords
  default: "\(error)"
  }
}

extension DecodingError {
  /// In the form: key, expected, found.
  fileprivate var inWords: String {
    switch self {
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .dataCorrupted(let context):
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      let reason = context.underlyingError.map { "\($0)" } ?? context.debugDescription
      return path.isEmpty ? reason : "\(path): \(reason)"
    case .keyNotFound(let key, _): return "\(key.stringValue): missing"
    @unknown default: return "\(self)"
    }
  }
}

extension CocoaError {
  /// Codes 256 to 511 are those of reading.
  fileprivate var exitStatus: Int32 { (256..<512).contains(code.rawValue) ? 66 : 73 }

  /// `cannot write PATH: No space left on device`.
  fileprivate var inWords: String {
    let path = filePath ?? url?.path ?? "a file"
    let system = underlying as NSError?
    let reason =
      system?.domain == NSPOSIXErrorDomain
      ? String(cString: strerror(Int32(system!.code))) : localizedDescription
    return "cannot \(exitStatus == 66 ? "read" : "write") \(path): \(reason)"
  }
}

extension FileError {
  fileprivate var exitStatus: Int32 {
    switch kind {
    case .missing: 66
    case .damaged, .mismatch: 65
    case .unwritable: 73
    }
  }
}

extension ReportError {
  fileprivate var exitStatus: Int32 {
    switch self {
    case .gnuplot: 73
    case .format: 64
    case .noGnuplot: 66
    case .nonFinite: 70
    }
  }
}

extension TrainingError {
  fileprivate var exitStatus: Int32 {
    switch self {
    case .notFinite: 70
    case .signature, .otherRun, .otherImages, .noScore: 65
    case .nothingToResume: 66
    }
  }
}

extension FeatureError {
  fileprivate var exitStatus: Int32 {
    switch self {
    case .noSuchDimensions: 64
    case .incomplete, .channels: 65
    }
  }
}

extension SamplerError {
  fileprivate var exitStatus: Int32 {
    switch self {
    case .unsuitable: 64
    case .tooFew, .unusable: 65
    case .notFinite, .diverged: 70
    }
  }
}

/// Runs `body`; its error becomes the command's failure, with the status that fits.
func failing<Result>(_ body: () throws -> Result) throws -> Result {
  do { return try body() } catch { throw CommandFailure(error) }
}
