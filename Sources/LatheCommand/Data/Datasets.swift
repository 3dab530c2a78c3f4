import LatheFiles
import ArgumentParser
import LatheData
import Foundation

struct Datasets: RootCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the data sets, where they are looked for and whether they are there.",
    discussion: """
        lathe datasets
      """)

  func run() throws {
    for entry in Registered.datasets.datasets {
      print(listed(entry.name, entry.summary))
      if entry.trainCount > 0 {
        print(
          listed(
            "",
            "\(entry.shape), \(grouped(entry.trainCount)) training and "
              + "\(grouped(entry.testCount)) test images"))
      }
      guard !entry.isGenerated else { continue }
      let places = entry.places().map(\.string).joined(separator: ", ")
      print(listed("", "looked for in \(places)"))
      print(listed("", presence(of: entry)))
    }
  }

  private func presence(of entry: Dataset) -> String {
    do { return "found: \(try entry.presence())" } catch {
      return (error.kind == .missing ? "not found. " : "\(error). ") + (entry.instructions ?? "")
    }
  }
}

extension Dataset {
  /// What there is of the data set, in a few words; pictures are counted, not decoded.
  ///
  /// - Throws: `FileError` if it is not there or damaged.
  func presence() throws(FileError) -> String {
    if isPacked { return "\(grouped(try pictures().items.count)) pictures" }
    let images = try load(.test)
    return "\(grouped(images.count)) test images, digest \(images.digest)"
  }
}
