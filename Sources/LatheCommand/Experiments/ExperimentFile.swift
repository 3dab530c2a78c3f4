import Foundation
import LatheFiles
import SystemPackage

/// The folder of experiments and recipes: `launch/` of a checkout, or what `launch/install` puts
/// beside the program.
struct ExperimentFolder {
  let experiments: FilePath
  let recipes: FilePath

  private init(_ top: FilePath) {
    (experiments, recipes) = (top.appending("experiments"), top.appending("recipes"))
  }

  /// The first of: `launch` here, beside or above the program, `share/lathe` beside it.
  ///
  /// - Throws: `CommandFailure` (66) naming the folders that were looked in.
  static func find() throws -> ExperimentFolder {
    var tops = [FilePath("launch")]
    var above = program.removingLastComponent()
    tops.append(above.appending("../share/lathe").lexicallyNormalized())
    while !above.components.isEmpty {
      tops.append(above.appending("launch"))
      above.removeLastComponent()
    }
    let found = tops.map { ExperimentFolder($0) }.first { FileSystem.isFolder($0.experiments) }
    guard let found else {
      throw CommandFailure.missing(
        "no folder of experiments: expected one of "
          + tops.map { "\($0)/experiments" }.joined(separator: ", "))
    }
    return found
  }

  /// The running program.
  static var program: FilePath {
    let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return FilePath(link ?? CommandLine.arguments[0])
  }

  /// Names of the experiments, sorted as people count: `table2` before `table10`.
  func names() throws -> [String] {
    let files = try failing { try FileSystem.names(in: experiments, failure: .missing) }
    return files.filter { $0.hasSuffix(".yml") && $0 != Self.scalesName }
      .map { String($0.dropLast(4)) }
      .sorted { $0.compare($1, options: .numeric) == .orderedAscending }
  }

  /// The experiment of a name, or in a file of one's own, `NAME.yml`.
  ///
  /// - Throws: `CommandFailure` (64 for an unknown name, 65 for what is wrong in a file).
  func experiment(_ name: String) throws -> NamedExperiment {
    let isFile = name.hasSuffix(".yml") || name.hasSuffix(".yaml")
    let path = isFile ? FilePath(name) : experiments.appending("\(name).yml")
    guard FileSystem.isFile(path) else {
      let known = try names().joined(separator: ", ")
      throw isFile
        ? CommandFailure.missing("\(path): no experiment there")
        : CommandFailure.usage("no experiment '\(name)'; there are \(known), or give a .yml file")
    }
    let experiment = try Self.decoded(Experiment.self, path)
    return NamedExperiment(name: FilePath(name).stem ?? name, experiment: experiment, file: path)
  }

  private static let scalesName = "scales.yml"

  /// The scales that experiments share.
  func scales() throws -> [String: Scale] {
    try Self.decoded([String: Scale].self, experiments.appending(Self.scalesName))
  }

  private static func decoded<Value: Decodable>(
    _ type: Value.Type, _ path: FilePath
  ) throws -> Value {
    let bytes = try failing { try FileSystem.contents(of: path) }
    do { return try YAMLText(bytes).value.decoded(as: type) } catch {
      throw CommandFailure.data("\(path): \(message(of: error))")
    }
  }
}

/// An experiment, and what it is called.
struct NamedExperiment {
  let name: String
  let experiment: Experiment
  let file: FilePath
}
