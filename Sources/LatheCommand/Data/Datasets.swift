import LatheFiles
import ArgumentParser
import LatheData
import Foundation

struct Datasets: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the data sets, where they are looked for and whether they are there.")

  func run() throws {
    for entry in Registered.datasets.datasets {
      print(entry.name.padding(toLength: 16, withPad: " ", startingAt: 0) + entry.summary)
      let indent = String(repeating: " ", count: 16)
      if entry.trainCount > 0 {
        print(
          indent + "\(entry.shape), \(grouped(entry.trainCount)) training and "
            + "\(grouped(entry.testCount)) test images")
      }
      guard !entry.isGenerated else { continue }
      print(indent + "looked for in " + entry.places().map(\.string).joined(separator: ", "))
      do {
        print(indent + "found: \(try entry.presence())")
      } catch {
        print(
          indent + (error.kind == .missing ? "not found. " : "\(error). ")
            + (entry.instructions ?? ""))
      }
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
