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

/// The error for a data set that is in none of the places looked in, nor in the folders `below`
/// each of them; it says what is there instead.
func nothingFound(
  _ what: String, _ contents: String, _ places: [FilePath], _ instructions: String,
  below: [String] = []
) -> FileError {
  let looked = places.map { "\($0)\(whatIsThere(at: $0))" }
  let folders = below.isEmpty ? "" : ", nor below in " + below.joined(separator: ", ")
  return FileError(
    .missing, what, expected: contents,
    found: "nothing in " + looked.joined(separator: ", nothing in ") + folders,
    hint: instructions)
}

/// For ` (which has train, test)` behind the name of a place.
private func whatIsThere(at place: FilePath) -> String {
  guard let status = FileSystem.status(place) else { return " (does not exist)" }
  guard status.isFolder else {
    let start = try? OpenFile(reading: place).bytes(at: 0, count: min(status.size, 2048))
    let kind = start.flatMap { contentKind($0) } ?? "a file"
    let isPacked = ["archive", "gzip", "xz", "bzip2", "Zstandard"].contains { kind.contains($0) }
    return " (\(kind)\(isPacked ? ", which must be unpacked" : ""))"
  }
  guard let names = try? FileSystem.names(in: place), !names.isEmpty else { return " (empty)" }
  let shown = names.prefix(4).map { String($0.prefix(60)) }.joined(separator: ", ")
  return " (which has \(shown)\(names.count > 4 ? " and \(names.count - 4) more" : ""))"
}
