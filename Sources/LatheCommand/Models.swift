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
    print("\(entry.name): \(entry.summary)\n  \(entry.source)")
    print("sampler: \(entry.defaultSampler.rawValue), unless asked otherwise")
    print("hyperparameters, as they are for \(dataset) (\(shape)):")
    for setting in try entry.settings(shape, 1000).sorted(by: { $0.name < $1.name }) {
      print("  \(setting.name): \(setting.defaultValue.text)")
      if !setting.help.isEmpty { print("      \(setting.help)") }
      if !setting.allowedValues.isEmpty {
        print("      one of \(setting.allowedValues.joined(separator: ", "))")
      }
    }
  }

  private func list() {
    for entry in Registered.models.entries {
      print(entry.name.padding(toLength: 16, withPad: " ", startingAt: 0) + entry.summary)
    }
  }
}
