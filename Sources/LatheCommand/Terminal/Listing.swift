import LatheData
import Foundation
import LatheModels
import SystemPackage

/// The model of that name, or a failure that lists all.
func model(named name: String) throws -> ModelRegistry.Entry {
  if let entry = Registered.models[name] { return entry }
  let names = Registered.models.entries.map(\.name).joined(separator: ", ")
  throw CommandFailure.usage("no model '\(name)'; there are \(names)")
}

/// The data set of that name, or of that array file; or a failure that lists all.
func dataset(named name: String) throws -> Dataset {
  if let entry = Registered.datasets[name] { return entry }
  if isArrayFile(name) { return try arrays(at: FilePath(name), range: nil) }
  let names = Registered.datasets.datasets.map(\.name).joined(separator: ", ")
  throw CommandFailure.usage(
    "no data set '\(name)'; there are \(names), and files that end in .npy or .npz")
}

/// Whether a data set is named by an array file, and not by its name.
func isArrayFile(_ name: String) -> Bool {
  Registered.datasets[name] == nil && ArrayImages.isNamed(FilePath(name))
}

/// The arrays of a file as a data set; lines say how it is read.
///
/// - Throws: `CommandFailure`.
func arrays(at path: FilePath, range: ValueRange?) throws -> Dataset {
  let set = try failing { try Dataset.arrays(at: path, range: range) }
  for line in set.notes { note("\(path): \(line)") }
  return set
}

/// `12,345,678`.
func grouped(_ number: Int) -> String {
  let digits = Array(String(number.magnitude))
  let groups = stride(from: digits.count, to: 0, by: -3).map { end in
    String(digits[max(0, end - 3)..<end])
  }
  return (number < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
}
