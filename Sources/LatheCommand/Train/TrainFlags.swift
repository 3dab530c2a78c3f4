import ArgumentParser

// The settings of a run as flags, in groups like those of `RunConfiguration`, which says what each
// means.

/// Which run, and what its settings are laid over.
struct RunFlags: ParsableArguments {
  @Option(
    help: "Folder of the run (default: runs/MODEL-DATASET, numbered when that is taken).",
    completion: .runs)
  var out: String?

  @Flag(help: "Continue the run in --out, or the only one of this model on this data set.")
  var resume = false

  @Flag(help: "With --resume: other training images than the checkpoint's are meant.")
  var allowOtherData = false

  @Option(help: .setting("init-from")) var initFrom: String?

  @Flag(help: "Measure memory and time on some steps, write nothing, and end.")
  var dryRun = false

  @Option(help: "YAML file with settings; a run's config.yml is one.", completion: .recipes)
  var recipe: String?

  @Option(name: .customLong("set"), help: "Set a hyperparameter of the model; may be repeated.")
  var hyperparameters: [String] = []

  @Flag(inversion: .prefixedNo, help: .setting("conditional")) var conditional: Bool?

  @Option(
    help: "Networks of the model, such as dcgan: short for --set networks=dcgan.",
    completion: .networks)
  var networks: String?
}

struct DataFlags: ParsableArguments {
  @Option(setting: "data") var data: String?
  @Option(setting: "crop") var crop: String?
  @Option(setting: "size") var size: String?
  @Option(setting: "filter") var filter: String?
  @Option(parsing: .unconditional, help: .setting("range")) var range: String?
  @Flag(inversion: .prefixedNo, help: .setting("flip")) var flip: Bool?
  @Option(setting: "pad-crop") var padCrop: String?
  @Option(setting: "padding") var padding: String?
  @Option(setting: "sampling") var sampling: String?
  @Option(setting: "validation") var validation: String?
  @Option(setting: "held-back") var heldBack: String?
  @Flag(inversion: .prefixedNo, help: .setting("skip-corrupt")) var skipCorrupt: Bool?
  @Option(setting: "train-images") var trainImages: String?
  @Option(setting: "data-seed") var dataSeed: String?
  @Option(setting: "cache") var cache: String?
}

struct BatchFlags: ParsableArguments {
  @Option(setting: "batch") var batch: String?
  @Option(setting: "slices") var slices: String?
  @Option(setting: "batch-statistics") var batchStatistics: String?
  @Option(setting: "overlap") var overlap: String?
  @Option(setting: "threads") var threads: String?
}

struct OptimizationFlags: ParsableArguments {
  @Option(setting: "steps") var steps: String?
  @Option(setting: "epochs") var epochs: String?
  @Option(setting: "seed") var seed: String?
  @Option(setting: "precision") var precision: String?
}

struct UpdateFlags: ParsableArguments {
  @Option(setting: "schedule") var schedule: String?
  @Option(setting: "schedule-steps") var scheduleSteps: String?
  @Option(setting: "plateau-by") var plateauBy: String?
  @Option(setting: "plateau-factor") var plateauFactor: String?
  @Option(setting: "plateau-patience") var plateauPatience: String?
  @Option(setting: "plateau-threshold") var plateauThreshold: String?
  @Option(setting: "plateau-threshold-mode") var plateauThresholdMode: String?
  @Option(setting: "plateau-minimum") var plateauMinimum: String?
  @Option(setting: "warm-up") var warmUp: String?
  @Option(setting: "ema") var ema: String?
  @Option(setting: "clip-norm") var clipNorm: String?
  @Option(setting: "weight-decay") var weightDecay: String?
  @Option(setting: "wire") var wire: String?
}

struct OutputFlags: ParsableArguments {
  @Option(setting: "checkpoint-every") var checkpointEvery: String?
  @Option(setting: "keep") var keep: String?
  @Option(help: .hidden) var checkpointsKept: String?
  @Option(setting: "keep-every") var keepEvery: String?
  @Option(setting: "preview-every") var previewEvery: String?
  @Option(help: .hidden) var sampleEvery: String?
  @Option(setting: "sampler") var sampler: String?
  @Option(setting: "log-every") var logEvery: String?
  @Option(setting: "stall-timeout") var stallTimeout: String?
  @Option(setting: "timeline") var timeline: String?
}

struct RunEvaluationFlags: ParsableArguments {
  @Option(setting: "evaluate-every") var evaluateEvery: String?
  @Option(setting: "best-by") var bestBy: String?
  @Option(setting: "patience") var patience: String?
  @OptionGroup var evaluation: EvaluationFlags
}
