import BuildCommit
import LatheFiles
import LatheNN
import SystemPackage

/// The version of lathe and the commit that it was built from, as `0.1.0+0123456789ab`; the same
/// for two builds of the same sources only.
public let version = "0.1.0+" + buildCommit()

// What a checkpoint says about its run, and what a run that continues it must have in common.
extension RunConfiguration {
  /// What a checkpoint after `step` steps says about the run.
  func state(step: Int, trainedOn images: RunState.Images) -> RunState {
    var state = RunState(step: step, run: self, writtenBy: "lathe \(version)")
    state.images = images
    return state
  }

  /// - Throws: `TrainingError.otherRun` if a checkpoint's run differs from this one in a setting
  ///   that decides what is computed.
  public func requireSameRun(as state: RunState, at path: FilePath) throws {
    let (own, theirs) = (try Self.identity(of: self), try Self.identity(of: state.run))
    let names = Set(own.keys).union(theirs.keys).sorted()
    guard let name = names.first(where: { own[$0] != theirs[$0] }) else { return }
    throw TrainingError.otherRun(
      path, field: name, expected: own[name]?.text ?? "nothing",
      found: theirs[name]?.text ?? "nothing")
  }

  private static func identity(of run: RunConfiguration) throws -> [String: JSONValue] {
    let fields = try list.fields(of: run) { $0 == .run }
    return Dictionary(fields.filter { $0.value != .null }, uniquingKeysWith: { $1 })
  }
}

extension RunState {
  /// - Throws: `TrainingError.otherImages` if the checkpoint says that it was trained on others.
  public func requireSame(_ own: Images, at path: FilePath) throws(TrainingError) {
    guard let images, images != own else { return }
    throw .otherImages(path, expected: images, found: own)
  }
}

// A checkpoint's settings as JSON.
extension RunConfiguration {
  /// The settings that a checkpoint holds, by name, without those that are left out.
  public var recorded: [String: JSONValue] {
    get throws {
      let kept = Set(
        Self.list.settings.filter { $0.identity == .run || $0.identity == .recorded }.map(\.name))
      return try Self.list.values(of: self).filter { kept.contains($0.key) && $0.value != .null }
    }
  }

  /// What version 1 of `state.json` says, by today's names.
  static func settings(ofVersion1 state: JSONValue) -> [String: JSONValue] {
    let configuration = state["configuration"] ?? .null
    let images = configuration["images"] ?? .null
    let isReplaced = configuration["replacement"] == .bool(true)
    let found: [String: JSONValue?] = [
      "model": state["model"], "dataset": state["dataset"], "slices": state["slices"],
      "batch": state["batch"], "seed": state["seed"], "configuration": configuration["model"],
      "sampling": .string(isReplaced ? "replacement" : "shuffle"),
      "precision": configuration["precision"], "sampler": configuration["sampler"],
      "batch-statistics": configuration["batchStatistics"],
      "validation": configuration["validation"], "flip": images["flip"], "size": images["size"],
      "crop": images["crop"], "filter": images["filter"],
    ]
    return found.compactMapValues { $0 == .null ? nil : $0 }
  }
}
