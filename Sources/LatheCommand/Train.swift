import ArgumentParser
import LatheFiles
import LatheDistributed
import LatheData
import Foundation
import LatheKernels
import LatheModels
import SystemPackage
import LatheTraining

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a model on a data set.",
    discussion: """
      On one rank:         lathe train vae fashion-mnist --steps 1000
      On four:             mpirun -n 4 lathe train vae fashion-mnist --steps 1000
      From a recipe:       mpirun -n 2 lathe train --recipe launch/recipes/flexae-fashion-mnist.yml
      Another hyperparameter: … --set latentSize=16 (see `lathe models flexae`)

      Settings come from flags, over the recipe, over defaults; the resolved ones are saved in the run's
      config.yml, which is a recipe again. The batch is the global one. It is cut into slices, by default one
      for each rank; with the same slices, 1, 2, 4 … ranks give the same bits.
      """)

  @Argument(help: "The model (`lathe models` lists them); may come from the recipe.")
  var model: String?

  @Argument(help: "The data set (`lathe datasets` lists them); may come from the recipe.")
  var dataset: String?

  @Option(
    help:
      "Folder, archive or packed file of the data set (default: where the data set is usually found)."
  )
  var data: String?

  @OptionGroup var pictures: PictureOptions

  @Flag(inversion: .prefixedNo, help: "Mirror every other training image, by chance (default: no).")
  var flip: Bool?

  @Option(help: "Folder of the run (default: runs/MODEL-DATASET, numbered when that is taken).")
  var out: String?

  @Option(help: "Steps of the whole run (default: 1000).")
  var steps: Int?

  @Option(help: "Steps as passes over the training images, instead of --steps.")
  var epochs: Int?

  @Option(help: "Images in a step's global batch, over all ranks (default: 128).")
  var batch: Int?

  @Option(
    help: "Parts of the batch that ranks share out among them (default: one for each rank).")
  var slices: Int?

  @Option(
    help:
      "slice: batch norm and terms that couple images see a slice; global: they see the whole batch (default: slice)."
  )
  var batchStatistics: BatchStatistics?

  @Option(
    help:
      "Reduce gradients while the backward pass still runs: on, off, or auto, which tries both where ranks exchange messages (default: auto)."
  )
  var overlap: Overlap?

  @Option(help: "What parameters, order and noise are drawn from (default: 0).")
  var seed: UInt64?

  @Option(help: "Threads of each rank (default: 1).")
  var threads: Int?

  @Option(
    help: "shuffle: each image once an epoch; replacement: each draw from all (default: shuffle).")
  var sampling: Recipe.Sampling?

  @Option(help: "float32, or bfloat16 for factors of products and convolutions (default: float32).")
  var precision: Precision?

  @Option(
    help:
      "Where the codes of shown images come from; gmm and ancestral are fitted to codes of training images (default: the model's usual one)."
  )
  var sampler: Sampler.Name?

  @Option(help: "YAML file with settings.")
  var recipe: String?

  @Option(help: "Networks of the model, such as a1: short for --set networks=a1.")
  var networks: String?

  @Option(name: .customLong("set"), help: "Set a hyperparameter of the model; may be repeated.")
  var settings: [String] = []

  @Option(help: "Steps between checkpoints, 0 for one at the end only (default: 500).")
  var checkpointEvery: Int?

  @Option(
    help:
      "Steps between evaluations with sample grids, 0 for the first and last only (default: 500).")
  var sampleEvery: Int?

  @Option(help: "Steps between lines of metrics.jsonl (default: 10).")
  var logEvery: Int?

  @Option(
    help:
      "Steps between measurements on validation images, which also choose the checkpoint kept in RUN/best (default: none)."
  )
  var evaluateEvery: Int?

  @Option(
    help:
      "Training images held back for validation where the data set has no such split (default: a sixth, at most 10000)."
  )
  var validation: Int?

  @OptionGroup(title: "Options of --evaluate-every") var scores: EvaluationOptions

  @Flag(help: "Continue the run in --out from its newest intact checkpoint.")
  var resume = false

  @Option(
    help:
      "Seconds without progress on any rank after which the job is ended, 0 for never (default: 600)."
  )
  var stallTimeout = 600.0

  @Option(help: "File for a Chrome trace of the run, a row for each rank.")
  var timeline: String?

  func run() throws {
    if model == "classifier" { return try trainClassifier() }
    let settings = try TrainSettings(self, ranks: Launcher.place?.size ?? 1)
    let images = try settings.loadImages()
    let plan = try settings.plan(images)
    let evaluation = try settings.evaluation(images)
    if Launcher.isRoot { try prepare(plan) }
    try TrainJob(
      settings: settings, plan: plan, images: images, evaluation: evaluation, resume: resume,
      watch: watch
    ).run()
  }

  /// The former spelling of `lathe features train`.
  private func trainClassifier() throws {
    FileHandle.standardError.write(
      Data("lathe: `train classifier` is now called `features train`\n".utf8))
    let options: [(String, String?)] = [
      ("--data", data), ("--epochs", epochs.map { "\($0)" }), ("--batch", batch.map { "\($0)" }),
      ("--seed", seed.map { "\($0)" }), ("--out", out), ("--threads", threads.map { "\($0)" }),
    ]
    let given = options.flatMap { name, value in value.map { [name, $0] } ?? [] }
    let colour = settings.contains("colour=true") ? ["--colour"] : []
    let command = try FeaturesTrain.parse((dataset.map { [$0] } ?? []) + given + colour)
    try command.run()
  }

  private var watch: WatchSettings {
    WatchSettings(stallTimeout: stallTimeout, timeline: timeline.map { FilePath($0) })
  }

  func validate() throws {
    guard stallTimeout >= 0 else {
      throw ValidationError("stall-timeout: expected at least 0, found \(stallTimeout)")
    }
  }

  /// Makes the run's folder, and refuses one that holds another run.
  private func prepare(_ plan: TrainingPlan) throws {
    let folder = plan.folder
    let checkpoints = CheckpointStore(reading: folder.appending("checkpoints"))
    if !resume, let last = try failing({ try checkpoints.steps() }).last {
      throw CommandFailure.usage(
        "\(folder) holds a run already (step \(last)): add --resume to continue it, or choose another --out"
      )
    }
    if resume { try requireCheckpoint(checkpoints, plan) }
    _ = try failing { try CheckpointStore(folder: folder.appending("checkpoints"), keep: 1) }
  }

  private func requireCheckpoint(_ checkpoints: CheckpointStore, _ plan: TrainingPlan) throws {
    let found = try failing { try checkpoints.latest { _ = try RunState(reading: $0) } }
    guard let found else {
      throw CommandFailure.missing("nothing to resume: no checkpoint in \(plan.folder)")
    }
    try failing { try plan.requireSameRun(as: RunState(reading: found.path), at: found.path) }
  }
}

extension Recipe.Sampling: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
extension BatchStatistics: ExpressibleByArgument {}
extension Overlap: ExpressibleByArgument {}
