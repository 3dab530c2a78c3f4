import LatheData
import LatheDistributed
import LatheFiles
import LatheKernels
import LatheModels
import LatheNN

/// What a run computes, how it is evaluated, and what it writes.
///
/// Each field is declared here, once: its default, what it means, what it may be, and who must have
/// the same. Flags and recipes are laid over it by name. Help, `config.yml`, the comparison of the
/// ranks, a checkpoint's `state.json` and what a resumed run must have in common with it follow
/// from ``list``.
public struct RunConfiguration: SettingGroup {
  public var model = ModelSettings()
  public var data = DataSettings()
  public var batch = BatchSettings()
  public var optimization = OptimizationSettings()
  public var updates = UpdateSettings()
  public var evaluation = RunEvaluationSettings()
  public var output = OutputSettings()

  public init() {}

  /// A run of a model of a program's own; the data set's name is for its log and checkpoints.
  public init(_ network: LoadedModel, dataset: String) {
    model.name = network.name
    model.configuration = network.configuration
    model.sampler = type(of: network.model).defaultSampler
    data.dataset = dataset
  }

  /// The settings by their names in recipes and on the command line.
  public static let list: SettingList<RunConfiguration> = {
    do { return try SettingList(of: RunConfiguration(), .kebabCase) } catch {
      trap("RunConfiguration: \(error)")
    }
  }()
}

/// Which model is trained.
public struct ModelSettings: SettingGroup {
  @Setting("The model; `lathe models` lists them.", called: "model") public var name = ""
  @Setting("The model's hyperparameters; `lathe models MODEL` lists them.")
  public var configuration = JSONValue.object([:])
  @Setting(
    "Give the decoder the labels of the images: classes, or attributes; labelSize is theirs then.")
  public var conditional = false
  @Setting(
    "Where the codes of shown images come from; left out, from the model's default sampler.",
    identity: .recorded)
  public var sampler: Sampler.Name?
  @Setting(
    "Run, checkpoint or file of PyTorch's weights that parameters are taken from; left out, they "
      + "are drawn.", called: "init-from", identity: .ranks)
  public var initialWeights: String?

  public init() {}
}

/// On which images, prepared how, in which order.
public struct DataSettings: SettingGroup {
  @Setting("The data set; `lathe datasets` lists them.") public var dataset = ""
  @Setting(
    "Folder, archive or packed file of the data set; left out, where it is usually found.",
    called: "data", identity: .free)
  public var place: String?
  @Setting(
    "Side in pixels of the centred square that is cut out of each picture; left out, 140 for "
      + "celeba, else the largest.", bounds: .optional(.within(1...4096)))
  public var crop: Int?
  @Setting(
    "Side in pixels of the prepared images; left out, 64.", bounds: .optional(.within(1...4096)))
  public var size: Int?
  @Setting("How pictures are resized; left out, bilinear.") public var filter: ResizeFilter?
  @Setting(
    "Values of float arrays that stand for 0 and 1, such as -1,1; left out, 0,1 for images, the "
      + "smallest and the largest value for vectors.")
  public var range: ValueRange?
  @Setting(
    "Shape of an array's images, [height, width, channels], or of its vectors, [d]; the file's.",
    bounds: .optional(.oneOrMore(.within(1...1 << 26))))
  public var shape: [Int]?
  @Setting("Mirror every other training image, chosen randomly.") public var flip = false
  @Setting(
    "Pad training images by so many pixels on each side, and cut a part of their size out at a "
      + "random place; left out, neither.", bounds: .optional(.atLeast(1)))
  public var padCrop: Int?
  @Setting(
    "What stands in the padding: zero is black, reflect the image mirrored at its edge; left out, "
      + "zero.")
  public var padding: Augmentation.PaddingMode?
  @Setting("shuffle: each image once an epoch; replacement: each draw from all images.")
  public var sampling = Sampling.shuffle
  @Setting(
    "Training images that are held back for evaluation, where the data set has no validation "
      + "split; left out, a sixth, at most 10000.",
    bounds: .optional(.atLeast(1)))
  public var validation: Int?
  @Setting(
    "Which images are held back: spread over the training images by the seed, or the last ones, "
      + "as in runs of earlier versions; left out, spread.")
  public var heldBack: HeldBack?
  @Setting(
    "Leave out damaged pictures and broken links, and list them.", identity: .recorded)
  public var skipCorrupt = false
  @Setting(
    "Training images that are used, the first of a fixed permutation of those that are not held "
      + "back; left out, all.", bounds: .optional(.atLeast(2)))
  public var trainImages: Int?
  @Setting(
    "What generated data sets are drawn from; left out, the run's seed.", called: "data-seed",
    bounds: .optional(.within(0...UInt64(Int64.max))))
  public var seed: UInt64?
  @Setting("Folder of packed files; left out, $LATHE_CACHE, else ~/.cache/lathe.", identity: .free)
  public var cache: String?

  public init() {}

  /// How training images are drawn.
  public enum Sampling: String, SettingChoice { case shuffle, replacement }
}

/// How a step's batch is shared out.
public struct BatchSettings: SettingGroup {
  @Setting("Images in a step's global batch, over all ranks.", called: "batch", bounds: .atLeast(1))
  public var size = 128
  @Setting(
    "Parts of the batch that the ranks share out; left out, one for each rank. The same slices "
      + "give the same bits on any number of ranks.", bounds: .optional(.atLeast(1)))
  public var slices: Int?
  @Setting(
    "What batch norm and loss terms that couple images see: their slice, or the global batch.",
    called: "batch-statistics", formerly: "batchStatistics")
  public var statistics = BatchStatistics.slice
  @Setting(
    "Reduce gradients while the backward pass still runs; auto tries both where ranks exchange "
      + "messages. The bits are the same.", identity: .ranks)
  public var overlap = Overlap.auto
  @Setting("Threads of each rank.", bounds: .within(1...256), identity: .free) public var threads =
    1

  public init() {}
}

/// How long, from which draws, in which precision.
public struct OptimizationSettings: SettingGroup {
  @Setting("Steps of the whole run.", bounds: .atLeast(1), identity: .ranks)
  public var steps = 1000
  @Setting(
    "Steps as passes over the training images, in place of steps.",
    bounds: .optional(.atLeast(1)), identity: .ranks)
  public var epochs: Int?
  @Setting(
    "What parameters, order and noise are drawn from.", bounds: .within(0...UInt64(Int64.max)))
  public var seed: UInt64 = 0
  @Setting("Precision of the operands of matrix products and convolutions.")
  public var precision = Precision.float32

  public init() {}
}

/// What is written, and how often.
public struct OutputSettings: SettingGroup {
  @Setting(
    "Steps between checkpoints; 0 for one at the end only.", bounds: .atLeast(0), identity: .ranks)
  public var checkpointEvery = 500
  @Setting(
    "Newest checkpoints that are kept.", bounds: .atLeast(1), identity: .free,
    formerly: "checkpoints-kept")
  public var keep = 3
  @Setting(
    "Steps between checkpoints that are kept for good, beside the newest; 0 for none. They are "
      + "among those of --checkpoint-every.", bounds: .atLeast(0), identity: .free)
  public var keepEvery = 0
  @Setting(
    "Steps between previews, sample grids and the reconstruction error of test images; 0 for the "
      + "first and the last only.", bounds: .atLeast(0), identity: .ranks,
    formerly: "sample-every")
  public var previewEvery = 500
  @Setting(
    "Steps between lines of metrics.jsonl, for which gradient norms are measured.",
    bounds: .atLeast(1), identity: .ranks)
  public var logEvery = 10
  @Setting(
    "Seconds without progress on any rank after which the job is ended; 0 for never.",
    bounds: .within(0...1e9), identity: .free)
  public var stallTimeout = 600.0
  @Setting("File for a Chrome trace of the run, a row for each rank.", identity: .free)
  public var timeline: String?

  public init() {}
}

extension RunConfiguration {
  /// What generated data sets are drawn from.
  public var dataSeed: UInt64 { data.seed ?? optimization.seed }
}

extension DataSettings {
  /// The images that the run trains on, of those that are not held back.
  ///
  /// - Throws: `SettingError` if there are fewer than it is to use.
  public func used(of images: ImageSet) throws(SettingError) -> ImageSet {
    guard let count = trainImages else { return images }
    guard count <= images.count else {
      throw SettingError(
        name: "train-images", expected: "at most the \(images.count) training images",
        found: "\(count)")
    }
    return images.fixedChoice(count)
  }
}

extension Precision: SettingChoice, Codable {}
extension BatchStatistics: SettingChoice {}
extension Overlap: SettingChoice {}
extension ResizeFilter: SettingChoice {}
extension Augmentation.PaddingMode: SettingChoice {}

extension ValueRange: SettingValue {
  public static var expectation: String { "two numbers, the smaller first, such as -1,1" }

  /// A list of two numbers, or both with a comma between.
  public init?(given: JSONValue) {
    guard let words = [String](given: given), words.count == 2, let low = Float(words[0]),
      let high = Float(words[1])
    else { return nil }
    self.init(low, high)
  }
}

extension Sampler.Name: SettingValue {
  public static var expectation: String { "the name of a sampler" }

  public static func presentWord(for given: JSONValue) -> String? { currentName(of: given.text) }
}
