import Foundation
import LatheFiles
import LatheTraining
import SystemPackage

/// The run that `--resume` continues: what is not asked for again comes from it.
struct ResumedRun {
  let folder: FilePath
  /// The run's own settings, all of them.
  let recipe: Recipe
  /// The model's configuration as its newest checkpoint spells it.
  let modelConfiguration: JSONValue?

  /// - Throws: `CommandFailure` if no folder was named and there is not just one that it can be.
  init(_ command: Train, _ asked: Recipe) throws {
    folder = try command.out.map { FilePath($0) } ?? Self.onlyFolder(command, asked)
    let path = folder.appending(Recipe.fileName).string
    recipe = FileManager.default.fileExists(atPath: path) ? try Recipe(reading: path) : Recipe()
    let store = CheckpointStore(reading: folder.appending("checkpoints"))
    let newest = (try? store.steps())?.last
    let state = newest.flatMap { try? RunState(reading: store.path(step: $0)) }
    modelConfiguration = state?.configuration["model"]
  }

  /// The one run of this model on this data set that has a default name.
  private static func onlyFolder(_ command: Train, _ asked: Recipe) throws -> FilePath {
    guard let model = command.model ?? asked.model, let dataset = command.dataset ?? asked.dataset
    else { throw CommandFailure.usage("--resume: say which run with --out FOLDER") }
    let base = "\(model)-\(dataset)"
    let found = ((try? FileManager.default.contentsOfDirectory(atPath: "runs")) ?? [])
      .filter { $0 == base || $0.hasPrefix("\(base)-") && Int($0.dropFirst(base.count + 1)) != nil }
      .sorted()
    guard found.count < 2 else {
      let names = found.map { "runs/\($0)" }.joined(separator: ", ")
      throw CommandFailure.usage("--resume: say which run with --out; there are \(names)")
    }
    return FilePath("runs").appending(found.first ?? base)
  }
}

extension Recipe {
  /// These settings, and another's where these say nothing.
  func over(_ other: Recipe) throws -> Recipe {
    var lower = other
    if steps != nil || epochs != nil { (lower.steps, lower.epochs) = (nil, nil) }
    guard case .object(let above) = try JSONValue(encoding: self),
      case .object(var members) = try JSONValue(encoding: lower)
    else { return self }
    for (key, value) in above where value != .null {
      if case .object(let inner) = value, case .object(let below) = members[key] {
        members[key] = .object(below.merging(inner) { $1 })
      } else {
        members[key] = value
      }
    }
    return try JSONValue.object(members).decoded(as: Recipe.self)
  }
}
