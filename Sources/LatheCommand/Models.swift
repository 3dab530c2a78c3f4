import ArgumentParser
import LatheFiles
import LatheData
import Foundation
import LatheModels

struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the models, or shows one with its hyperparameters.",
    discussion: "Hyperparameters are set with `lathe train … --set key=value` or in a recipe.")

  @Argument(help: "Show this model only, with its hyperparameters.")
  var model: String?

  @Option(help: "Show the defaults for this data set.")
  var dataset = "fashion-mnist"

  func run() throws {
    guard let name = model else { return list() }
    let entry = try LatheCommand.model(named: name)
    let shape = try LatheCommand.dataset(named: dataset).shape
    let defaults = try JSONDecoder().decode(JSONValue.self, from: entry.configuration(shape, 1000))
    print("\(entry.name): \(entry.summary)\n  \(entry.source)")
    print("sampler: \(entry.defaultSampler.rawValue), unless asked otherwise")
    print("hyperparameters, as they are for \(dataset) (\(shape)):")
    guard case .object(let members) = defaults else { return }
    for (key, value) in members.sorted(by: { $0.key < $1.key }) { print("  \(key): \(value.text)") }
  }

  private func list() {
    for entry in ModelRegistry.standard.entries {
      print(entry.name.padding(toLength: 16, withPad: " ", startingAt: 0) + entry.summary)
    }
  }
}
