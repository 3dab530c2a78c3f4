import LatheFiles
import LatheData
import LatheMetrics
import LatheModels
import LatheReports
import LatheTraining

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

/// The exit status for an error from anywhere.
func exitStatus(for error: any Error) -> Int32 {
  switch error {
  case let error as CommandFailure: error.status
  case let error as TrainingError: error.exitStatus
  case let error as FeatureError: error.exitStatus
  case is ScoreError: 65
  case let error as SamplerError: error.exitStatus
  case let error as FileError:
    switch error.kind {
    case .missing: 66
    case .damaged, .mismatch: 65
    case .unwritable: 73
    }
  case let error as ReportError:
    switch error {
    case .gnuplot: 73
    case .format: 64
    case .noGnuplot: 66
    case .nonFinite: 70
    }
  default: 70
  }
}

extension TrainingError {
  fileprivate var exitStatus: Int32 {
    switch self {
    case .notFinite: 70
    case .signature, .otherRun: 65
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
    case .tooFew: 65
    case .notFinite: 70
    }
  }
}

/// Runs `body`; its error becomes the command's failure, with the status that fits.
func failing<Result>(_ body: () throws -> Result) throws -> Result {
  do { return try body() } catch {
    throw CommandFailure(description: "\(error)", status: exitStatus(for: error))
  }
}
