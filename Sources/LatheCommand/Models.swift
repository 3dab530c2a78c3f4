import ArgumentParser
import LatheFiles
import LatheData
import Foundation
import LatheModels

struct Models: RootCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the models, or shows one with its hyperparameters.",
    discussion: """
      Hyperparameters are set with `lathe train … --set key=value` or in a recipe.
        lathe models flexae --dataset cifar10
      """)

  @Argument(help: "Show this model only, with its hyperparameters.", completion: .models)
  var model: String?

  @Option(help: "Show the defaults for this data set.", completion: .datasets)
  var dataset = "fashion-mnist"

  func run() throws {
    guard let name = model else { return list() }
    let entry = try LatheCommand.model(named: name)
    let shape = try LatheCommand.dataset(named: dataset).shape
    print(wrapped("\(entry.name): \(entry.summary)"))
    print("  " + wrapped(entry.source, width: 78, indent: 2))
    print("sampler: \(entry.defaultSampler.rawValue), unless asked otherwise")
    print("hyperparameters, as they are for \(dataset) (\(shape)):")
    for setting in try entry.settings(shape, 1000).sorted(by: { $0.name < $1.name }) {
      print("  \(setting.name): \(setting.defaultValue.text)")
      if !setting.help.isEmpty { print(listed("", setting.help, column: 6)) }
      if !setting.allowedValues.isEmpty {
        print(listed("", "one of \(setting.allowedValues.joined(separator: ", "))", column: 6))
      }
    }
  }

  private func list() {
    for entry in Registered.models.entries {
      print(listed(entry.name, entry.summary))
    }
  }
}
