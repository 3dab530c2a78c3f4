import ArgumentParser
import Datasets
import Foundation

struct Datasets: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the data sets, where they are looked for and whether they are there.")

  func run() throws {
    for entry in DatasetRegistry.all {
      print(entry.name.padding(toLength: 16, withPad: " ", startingAt: 0) + entry.summary)
      let indent = String(repeating: " ", count: 16)
      print(
        indent + "\(entry.shape), \(grouped(entry.trainCount)) training and "
          + "\(grouped(entry.testCount)) test images")
      guard !entry.isGenerated else { continue }
      print(indent + "looked for in " + entry.places().map(\.string).joined(separator: ", "))
      do {
        _ = try entry.load(.test)
        print(indent + "found")
      } catch {
        print(
          indent + (error.kind == .missing ? "not found. " : "\(error). ")
            + (entry.instructions ?? ""))
      }
    }
  }
}
