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
    let experiment = try whole(path).decoded(as: Experiment.self, from: path)
    return NamedExperiment(name: FilePath(name).stem ?? name, experiment: experiment, file: path)
  }

  /// What stands in an experiment's file, over what it is like.
  private func whole(_ path: FilePath) throws -> JSONValue {
    guard case .object(var own) = try Self.value(of: path),
      let like = own.removeValue(forKey: Experiment.likeKey)
    else { return try Self.value(of: path) }
    let names = try names()
    guard names.contains(like.text),
      case .object(let other) = try Self.value(of: experiments.appending("\(like.text).yml")),
      other[Experiment.likeKey] == nil
    else {
      throw CommandFailure.data(
        "\(path): like: expected an experiment that is not itself like another, one of "
          + "\(names.joined(separator: ", ")), found \(like.text)")
    }
    return .object(own.merging(other) { own, _ in own })
  }

  private static let scalesName = "scales.yml"

  /// The scales that experiments share.
  func scales() throws -> [String: Scale] {
    let path = experiments.appending(Self.scalesName)
    return try Self.value(of: path).decoded(as: [String: Scale].self, from: path)
  }

  private static func value(of path: FilePath) throws -> JSONValue {
    let bytes = try failing { try FileSystem.contents(of: path) }
    do { return try YAMLText(bytes).value } catch {
      throw CommandFailure.data("\(path): \(message(of: error))")
    }
  }
}

extension JSONValue {
  /// - Throws: `CommandFailure` (65) with the file that it stands in.
  fileprivate func decoded<Value: Decodable>(
    as type: Value.Type, from path: FilePath
  ) throws -> Value {
    do { return try decoded(as: type) } catch {
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
