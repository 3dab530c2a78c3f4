import LatheFiles
import LatheNN
import LatheTensors

/// What a phase is given for one slice.
public struct Batch {
  /// `[N, H, W, C]` in [0, 1].
  public let images: Tensor
  /// As many images drawn independently, for blocks that draw two batches; elsewhere the same as
  /// `images`.
  public let otherImages: Tensor
  /// Noise of this slice: the same for the phases of a block and for blocks that reuse its batch.
  public let random: RandomSource
  /// Noise that the slices of a batch share where statistics are those of the global batch; else
  /// the same as `random`.
  public let sharedRandom: RandomSource
  /// Steps made before this one.
  public let step: Int
  /// How the networks behave: in training, or in inference where the loss is only evaluated.
  public let mode: Mode
  private let shared: SharedResults?

  public init(
    images: Tensor, otherImages: Tensor? = nil, random: RandomSource,
    sharedRandom: RandomSource? = nil, step: Int, mode: Mode = .training,
    shared: SharedResults? = nil
  ) {
    self.images = images
    self.otherImages = otherImages ?? images
    self.random = random
    self.sharedRandom = sharedRandom ?? random
    (self.step, self.mode, self.shared) = (step, mode, shared)
  }

  /// What `body` makes of this batch, computed once for the phases that ask for it by this name
  /// before `group` is updated.
  ///
  /// It may depend on parameters of `group` alone, and must be the same in all phases.
  public func once(
    _ name: String, by group: some ParameterGroup, _ body: () -> Tensor
  ) -> Tensor {
    shared?(name, of: [group.rawValue], body) ?? body()
  }

  /// Tells the batch that parameters of `groups` have moved.
  public func groupsMoved(_ groups: [String]) { shared?.forget(groups: groups) }

  /// Rows of all slices, `[N, …]` → `[S N, …]`, where statistics are those of the global batch;
  /// otherwise `rows` itself.
  ///
  /// For terms that couple the images of a batch. Gradients flow back to the slices that the rows
  /// came from.
  public func gathered(_ rows: Tensor) -> Tensor { gatheredOverSlices(rows) }

  /// This slice's rows of gathered ones, `[S N, …]` → `[N, …]`, or `whole` itself.
  public func ownRows(of whole: Tensor) -> Tensor { LatheTensors.ownRows(of: whole) }
}

/// A phase's objective and the terms worth watching, all scalars averaged over the slice.
public struct Losses {
  /// What is minimised.
  public let total: Tensor
  /// Parts and other figures, by name, for the log.
  public let terms: [(name: String, value: Tensor)]

  public init(_ total: Tensor, terms: KeyValuePairs<String, Tensor> = [:]) {
    require(total.shape.count == 1, "Losses: a total of shape \(total.shape)")
    self.total = total
    self.terms = terms.map { ($0.key, $0.value) }
  }
}

/// One optimizer update: a name, the groups it updates, its rule, its loss. The rule's state
/// belongs to the phase.
public struct Phase<Network: Model> {
  /// Unique within the model.
  public let name: String
  let groups: [Network.Group]
  let rule: OptimizerRule
  let loss: (Network, Batch) -> Losses

  public init(
    _ name: String, updates groups: [Network.Group], by rule: OptimizerRule,
    loss: @escaping (Network, Batch) -> Losses
  ) {
    self.name = name
    self.groups = groups
    self.rule = rule
    self.loss = loss
  }
}

/// Phases that share a batch, run `repeats` times with a fresh batch each time.
public struct Block<Network: Model> {
  let phases: [Phase<Network>]
  let repeats, batches: Int
  let reusesBatch: Bool
  var steps = 0..<Int.max

  /// Phases in order, `repeats` times, each time on 1 or 2 fresh batches.
  public init(repeats: Int = 1, batches: Int = 1, _ phases: Phase<Network>...) {
    self.init(phases, repeats: repeats, batches: batches, reusesBatch: false)
  }

  /// Phases in order on the last batch, and the same noise, of the block before.
  public static func reusingBatch(_ phases: Phase<Network>...) -> Block {
    Block(phases, repeats: 1, batches: 1, reusesBatch: true)
  }

  /// The same block in these steps only, counted from 0; a block that reuses a batch goes with the
  /// one before it.
  public func during(_ steps: Range<Int>) -> Block {
    var block = self
    block.steps = steps
    return block
  }

  private init(_ phases: [Phase<Network>], repeats: Int, batches: Int, reusesBatch: Bool) {
    require(repeats > 0, "Block: \(repeats) repeats")
    require((1...2).contains(batches), "Block: \(batches) batches, expected 1 or 2")
    self.phases = phases
    self.repeats = repeats
    self.batches = batches
    self.reusesBatch = reusesBatch
  }
}

// MARK: For the trainer, which meets every model alike

/// A phase of a certain model instance.
public struct BoundPhase {
  /// Unique within the model.
  public let name: String
  /// Outermost scopes of the parameters that it updates.
  public let groups: [String]
  /// How they move.
  public let rule: OptimizerRule
  /// The objective on one slice.
  public let loss: (Batch) -> Losses

  public init(
    name: String, groups: [String], rule: OptimizerRule, loss: @escaping (Batch) -> Losses
  ) {
    self.name = name
    self.groups = groups
    self.rule = rule
    self.loss = loss
  }
}

/// A block of a certain model instance.
public struct BoundBlock {
  public let phases: [BoundPhase]
  /// How often the phases run, each time on a fresh batch.
  public let repeats: Int
  /// Fresh batches of each repeat, 1 or 2.
  public let batches: Int
  /// Whether the phases run on the last batch of the block before.
  public let reusesBatch: Bool
  /// The steps in which the block runs, counted from 0.
  public let steps: Range<Int>

  public init(
    phases: [BoundPhase], repeats: Int = 1, batches: Int = 1, reusesBatch: Bool = false,
    steps: Range<Int> = 0..<Int.max
  ) {
    self.phases = phases
    self.repeats = repeats
    self.batches = batches
    self.reusesBatch = reusesBatch
    self.steps = steps
  }

  /// Fresh batches that a step sets aside for the block, whether it runs or not.
  public var draws: Int { reusesBatch ? 0 : repeats * batches }
}

extension Model {
  /// ``step`` with the model itself filled in.
  public var boundStep: [BoundBlock] {
    step.map { block in
      BoundBlock(
        phases: block.phases.map { phase in
          BoundPhase(
            name: phase.name, groups: phase.groups.map(\.rawValue), rule: phase.rule,
            loss: { phase.loss(self, $0) })
        }, repeats: block.repeats, batches: block.batches, reusesBatch: block.reusesBatch,
        steps: block.steps)
    }
  }
}
