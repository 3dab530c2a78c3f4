import LatheDistributed
import LatheFiles
import LatheData
import LatheKernels
import LatheModels
import SystemPackage

/// Everything that decides what a run computes, and how often it says and saves what it did.
public struct TrainingPlan: Sendable {
  /// The model's name in the registry.
  public var model: String
  /// Every hyperparameter of the model, a JSON object.
  public var configuration: JSONValue
  /// The same as a checkpoint spells it, with former names, where it spells it otherwise.
  public var equivalentConfiguration: JSONValue?
  /// The data set's name.
  public var dataset: String
  /// Whether training images are drawn with replacement instead of shuffled in epochs.
  public var replacement: Bool
  /// How the data set's pictures were prepared; nil if it has none.
  public var preparation: Preparation?
  /// Whether training images are mirrored by chance.
  public var flips = false
  /// Training images at the end of their split that are held back for validation; 0 for none.
  public var validationImages = 0
  /// Steps of the whole run.
  public var steps: Int
  /// Images in a global batch.
  public var batch: Int
  /// Parts of a global batch; ranks divide it.
  public var slices: Int
  /// What "the batch" is to batch norm and to terms that couple images.
  public var batchStatistics = BatchStatistics.slice
  /// Whether gradients are reduced while the backward pass still runs; changes no bit.
  public var overlap = Overlap.auto
  /// What parameters, order and noise are drawn from.
  public var seed: UInt64
  /// What products round their factors to.
  public var precision: Precision
  /// Where the images that previews show come from.
  public var sampler: Sampler.Name
  /// Folder of the run; only rank 0 touches it.
  public var folder: FilePath
  /// Steps between checkpoints, 0 for one at the end only.
  public var checkpointEvery: Int
  /// Checkpoints that are kept.
  public var checkpointsKept = 3
  /// Steps between previews on the test split, 0 for none but the first and the last.
  public var previewEvery: Int
  /// Steps between evaluations on validation images, 0 for none.
  public var evaluateEvery = 0
  /// Steps between lines of metrics.
  public var logEvery: Int

  public init(
    model: String, configuration: JSONValue, dataset: String, replacement: Bool, steps: Int,
    batch: Int, slices: Int, seed: UInt64, precision: Precision = .float32, folder: FilePath,
    checkpointEvery: Int,
    previewEvery: Int, logEvery: Int
  ) {
    self.model = model
    self.configuration = configuration
    self.dataset = dataset
    self.replacement = replacement
    self.steps = steps
    self.batch = batch
    self.slices = slices
    self.seed = seed
    self.precision = precision
    sampler = .prior
    self.folder = folder
    self.checkpointEvery = checkpointEvery
    self.previewEvery = previewEvery
    self.logEvery = logEvery
  }

  /// A plan for a model of a program's own; the rest has defaults and can be set.
  public init(
    _ network: LoadedModel, dataset: String, steps: Int, batch: Int, slices: Int, seed: UInt64 = 0,
    folder: FilePath
  ) {
    self.init(
      model: network.name, configuration: network.configuration, dataset: dataset,
      replacement: false, steps: steps, batch: batch, slices: slices, seed: seed, folder: folder,
      checkpointEvery: 500, previewEvery: 500, logEvery: 10)
    sampler = type(of: network.model).defaultSampler
  }

  /// What a checkpoint after `step` steps says about the run.
  func state(step: Int) -> RunState {
    RunState(
      model: model, dataset: dataset, step: step, slices: slices, batch: batch, seed: seed,
      configuration: .object(
        [
          "model": configuration, "replacement": .bool(replacement),
          "precision": .string(precision.rawValue), "sampler": .string(sampler.rawValue),
        ].merging(images) { $1 }.merging(statistics) { $1 }.merging(validation) { $1 }),
      writtenBy: "lathe \(version)")
  }

  /// What a checkpoint says about the images, where there is a choice.
  private var images: [String: JSONValue] {
    guard preparation != nil || flips else { return [:] }
    var members: [String: JSONValue] = ["flip": .bool(flips)]
    if let preparation {
      members["size"] = .int(preparation.size)
      members["crop"] = preparation.crop.map { .int($0) } ?? .null
      members["filter"] = .string(preparation.filter.rawValue)
    }
    return ["images": .object(members)]
  }

  /// What a checkpoint says about batch statistics, where they are not a slice's.
  private var statistics: [String: JSONValue] {
    batchStatistics == .slice ? [:] : ["batchStatistics": .string(batchStatistics.rawValue)]
  }

  /// What a checkpoint says about images held back, if any are.
  private var validation: [String: JSONValue] {
    validationImages > 0 ? ["validation": .int(validationImages)] : [:]
  }

  /// - Throws: `TrainingError.otherRun` if a checkpoint's run differs from this plan.
  public func requireSameRun(as state: RunState, at path: FilePath) throws(TrainingError) {
    guard let (field, expected, found) = difference(from: state) else { return }
    throw .otherRun(path, field: field, expected: expected, found: found)
  }

  /// The first field in which a checkpoint's run differs from this plan; steps and the sampler may
  /// differ.
  private func difference(from state: RunState) -> (field: String, expected: String, found: String)?
  {
    let own = self.state(step: state.step)
    let (ours, theirs) = (own.configuration.withoutSampler, state.configuration.withoutSampler)
    let fields: [(String, String, String)] = [
      ("model", own.model, state.model), ("dataset", own.dataset, state.dataset),
      ("batch", "\(own.batch)", "\(state.batch)"), ("slices", "\(own.slices)", "\(state.slices)"),
      ("seed", "\(own.seed)", "\(state.seed)"),
    ]
    if let field = fields.first(where: { $0.1 != $0.2 }) {
      return (field: field.0, expected: field.1, found: field.2)
    }
    return configurationDifference(ours, theirs)
  }

  /// Whether nothing but the spelling of the model's configuration differs.
  private func isSame(_ own: JSONValue, _ other: JSONValue) -> Bool {
    guard case .object(var members) = other, members["model"] == equivalentConfiguration,
      equivalentConfiguration != nil
    else { return false }
    members["model"] = own["model"]
    return own == .object(members)
  }

  private func configurationDifference(_ own: JSONValue, _ other: JSONValue)
    -> (field: String, expected: String, found: String)?
  {
    guard own != other, !isSame(own, other) else { return nil }
    if own["images"] != other["images"] {
      return (
        "images", own["images"]?.text ?? "as they are", other["images"]?.text ?? "as they are"
      )
    }
    if own["batchStatistics"] != other["batchStatistics"] {
      return (
        "batch statistics", own["batchStatistics"]?.text ?? "slice",
        other["batchStatistics"]?.text ?? "slice"
      )
    }
    if own["validation"] != other["validation"] {
      return (
        "validation", own["validation"]?.text ?? "none", other["validation"]?.text ?? "none"
      )
    }
    let theirs = other["model"]
    let isEquivalent = theirs != nil && theirs == equivalentConfiguration
    guard case .object(let a) = own["model"],
      case .object(let b) = isEquivalent ? own["model"] : theirs
    else {
      return ("configuration", "\(own)", "\(other)")
    }
    guard let key = Set(a.keys).union(b.keys).sorted().first(where: { a[$0] != b[$0] }) else {
      let field = own["replacement"] == other["replacement"] ? "precision" : "replacement"
      return (field, own[field]?.text ?? "nothing", other[field]?.text ?? "nothing")
    }
    return ("configuration \(key)", a[key]?.text ?? "nothing", b[key]?.text ?? "nothing")
  }
}

/// The version of lathe.
public let version = "0.1.0"

extension JSONValue {
  fileprivate var withoutSampler: JSONValue {
    guard case .object(var members) = self else { return self }
    members["sampler"] = nil
    return .object(members)
  }
}
