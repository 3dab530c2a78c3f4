import ArgumentParser

// The settings of a run as flags, in groups like those of `RunConfiguration`, which says what each
// means.

/// Which run, and what its settings are laid over.
struct RunFlags: ParsableArguments {
  @Option(help: "Folder of the run (default: runs/MODEL-DATASET, numbered when that is taken).")
  var out: String?

  @Flag(help: "Continue the run in --out, or the only one of this model on this data set.")
  var resume = false

  @Flag(help: "With --resume: other training images than the checkpoint's are meant.")
  var allowOtherData = false

  @Option(help: .setting("init-from")) var initFrom: String?

  @Flag(help: "Measure memory and time on some steps, write nothing, and end.")
  var dryRun = false

  @Option(help: "YAML file with settings; a run's config.yml is one.")
  var recipe: String?

  @Option(name: .customLong("set"), help: "Set a hyperparameter of the model; may be repeated.")
  var hyperparameters: [String] = []

  @Option(help: "Networks of the model, such as dcgan: short for --set networks=dcgan.")
  var networks: String?
}

struct DataFlags: ParsableArguments {
  @Option(help: .setting("data")) var data: String?
  @Option(help: .setting("crop")) var crop: String?
  @Option(help: .setting("size")) var size: String?
  @Option(help: .setting("filter")) var filter: String?
  @Flag(inversion: .prefixedNo, help: .setting("flip")) var flip: Bool?
  @Option(help: .setting("pad-crop")) var padCrop: String?
  @Option(help: .setting("padding")) var padding: String?
  @Option(help: .setting("sampling")) var sampling: String?
  @Option(help: .setting("validation")) var validation: String?
  @Option(help: .setting("held-back")) var heldBack: String?
  @Flag(inversion: .prefixedNo, help: .setting("skip-corrupt")) var skipCorrupt: Bool?
  @Option(help: .setting("train-images")) var trainImages: String?
  @Option(help: .setting("data-seed")) var dataSeed: String?
  @Option(help: .setting("cache")) var cache: String?
}

struct BatchFlags: ParsableArguments {
  @Option(help: .setting("batch")) var batch: String?
  @Option(help: .setting("slices")) var slices: String?
  @Option(help: .setting("batch-statistics")) var batchStatistics: String?
  @Option(help: .setting("overlap")) var overlap: String?
  @Option(help: .setting("threads")) var threads: String?
}

struct OptimizationFlags: ParsableArguments {
  @Option(help: .setting("steps")) var steps: String?
  @Option(help: .setting("epochs")) var epochs: String?
  @Option(help: .setting("seed")) var seed: String?
  @Option(help: .setting("precision")) var precision: String?
}

struct UpdateFlags: ParsableArguments {
  @Option(help: .setting("schedule")) var schedule: String?
  @Option(help: .setting("schedule-steps")) var scheduleSteps: String?
  @Option(help: .setting("plateau-by")) var plateauBy: String?
  @Option(help: .setting("plateau-factor")) var plateauFactor: String?
  @Option(help: .setting("plateau-patience")) var plateauPatience: String?
  @Option(help: .setting("plateau-threshold")) var plateauThreshold: String?
  @Option(help: .setting("plateau-threshold-mode")) var plateauThresholdMode: String?
  @Option(help: .setting("plateau-minimum")) var plateauMinimum: String?
  @Option(help: .setting("warm-up")) var warmUp: String?
  @Option(help: .setting("ema")) var ema: String?
  @Option(help: .setting("clip-norm")) var clipNorm: String?
  @Option(help: .setting("weight-decay")) var weightDecay: String?
}

struct OutputFlags: ParsableArguments {
  @Option(help: .setting("checkpoint-every")) var checkpointEvery: String?
  @Option(help: .setting("keep")) var keep: String?
  @Option(help: .hidden) var checkpointsKept: String?
  @Option(help: .setting("keep-every")) var keepEvery: String?
  @Option(help: .setting("preview-every")) var previewEvery: String?
  @Option(help: .hidden) var sampleEvery: String?
  @Option(help: .setting("sampler")) var sampler: String?
  @Option(help: .setting("log-every")) var logEvery: String?
  @Option(help: .setting("stall-timeout")) var stallTimeout: String?
  @Option(help: .setting("timeline")) var timeline: String?
}

struct RunEvaluationFlags: ParsableArguments {
  @Option(help: .setting("evaluate-every")) var evaluateEvery: String?
  @Option(help: .setting("best-by")) var bestBy: String?
  @Option(help: .setting("patience")) var patience: String?
  @OptionGroup var evaluation: EvaluationFlags
}
