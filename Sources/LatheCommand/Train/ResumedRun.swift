import Foundation
import LatheFiles
import LatheTraining
import SystemPackage

/// The run that `--resume` continues: what is not asked for again comes from it.
struct ResumedRun {
  let folder: FilePath
  /// The run's own settings.
  let settings: RunOverlay

  /// The same on all ranks; where they are on several hosts, only rank 0 needs to see the folder.
  ///
  /// - Throws: `CommandFailure` if no folder was named and there is not just one that it can be.
  static func find(_ command: Train, _ asked: RunOverlay) throws -> ResumedRun {
    guard Launcher.place != nil, Launcher.extent == nil,
      let world = try RankedJob.startUnderLauncher()
    else { return try ResumedRun(command, asked) }
    let bytes = try world.broadcast(from: 0) {
      let own = try ResumedRun(command, asked)
      let told: [String: JSONValue] = [
        "folder": .string(own.folder.string), "settings": .object(own.settings.values),
      ]
      return try Array(JSONEncoder().encode(JSONValue.object(told)))
    }
    let told = try failing { try JSONReader.value(of: bytes) }
    guard let folder = told["folder"]?.text, case .object(let settings)? = told["settings"] else {
      trap("ResumedRun: rank 0 told neither folder nor settings")
    }
    return ResumedRun(folder: FilePath(folder), settings: RunOverlay(settings))
  }

  private init(folder: FilePath, settings: RunOverlay) {
    (self.folder, self.settings) = (folder, settings)
  }

  private init(_ command: Train, _ asked: RunOverlay) throws {
    folder = try command.runFlags.out.map { FilePath($0) } ?? Self.onlyFolder(asked)
    let path = folder.appending(Recipe.fileName).string
    let isThere = FileManager.default.fileExists(atPath: path)
    var written = isThere ? try Recipe.read(path) : RunOverlay()
    // A trace is of the run that asked for it.
    written.values["timeline"] = nil
    if !RunFolder(folder).isOwn { written = Self.withoutPlaces(written, folder) }
    settings = written.over(Self.recorded(in: folder))
  }

  /// Somebody else's run does not say what is read here, and where packed files go.
  private static func withoutPlaces(_ written: RunOverlay, _ folder: FilePath) -> RunOverlay {
    var kept = written
    for name in ["data", "cache"] {
      if let place = kept.values.removeValue(forKey: name), place != .null {
        note("\(folder) is another user's: its \(name) \(place.text) is not used; say --\(name)")
      }
    }
    return kept
  }

  /// What the newest checkpoint says of the run.
  private static func recorded(in folder: FilePath) -> RunOverlay {
    let store = CheckpointStore(reading: folder.appending("checkpoints"))
    let newest = (try? store.steps())?.last
    let state = newest.flatMap { try? RunState(withoutFiles: store.path(step: $0)) }
    return RunOverlay((try? state?.run.recorded) ?? [:])
  }

  /// The one run of this model on this data set that has a default name.
  private static func onlyFolder(_ asked: RunOverlay) throws -> FilePath {
    guard let model = asked.values["model"], let dataset = asked.values["dataset"] else {
      throw CommandFailure.usage("--resume: say which run with --out FOLDER")
    }
    let base = "\(model.text)-\(dataset.text)".lowercased()
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
