import LatheFiles
import SystemPackage

/// A data set that one place, a folder or a file, holds whole.
struct PlaceOrigin: Sendable {
  /// How the user gets it, in a sentence.
  let instructions: String
  /// What the place should hold, for messages.
  let contents: String
  /// Reads the split from a place; nil if nothing of the data set is there.
  let read: @Sendable (Dataset, Split, FilePath) throws(FileError) -> ImageSet?

  /// - Throws: `FileError`: missing if no place has it, damaged if the first that has is not
  ///   intact.
  func load(_ entry: Dataset, _ split: Split, from places: [FilePath])
    throws(FileError) -> ImageSet
  {
    for place in places {
      if let set = try read(entry, split, place) { return set }
    }
    throw nothingFound("\(entry.name), \(split.rawValue) split", contents, places, instructions)
  }
}

/// The error for a data set that is in none of the places looked in.
func nothingFound(
  _ what: String, _ contents: String, _ places: [FilePath], _ instructions: String
) -> FileError {
  let looked = places.map { "\($0)" + (FileSystem.status($0) == nil ? " (does not exist)" : "") }
  return FileError(
    .missing, what, expected: contents,
    found: "nothing in " + looked.joined(separator: ", nothing in "), hint: instructions)
}
