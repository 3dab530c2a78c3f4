import ArgumentParser
import Foundation
import LatheData
import LatheDistributed
import LatheFiles
import LatheKernels
import LatheTraining
import SystemPackage

/// The part of `lathe train` that runs under MPI.
struct TrainJob {
  let settings: RunSettings
  let configuration: RunConfiguration
  let images: RunImages
  /// How the run evaluates the model; nil if it does not.
  let evaluation: EvaluationPlan?
  /// What a new run starts from, on rank 0.
  let weights: InitialWeights?
  let resume: Bool
  /// Whether nothing is written, see ``DryRun``.
  let isDry: Bool
  /// Whether a run that is resumed may go on with other training images.
  let allowsOtherImages: Bool

  func run() throws {
    let session = try RankedJob.start()
    let outcome = try train(session)
    if case .stopped = outcome { try RankedJob.leave(status: TrainJob.stoppedStatus) }
    try RankedJob.finish()
  }

  /// The exit status of a run that was asked to stop and can be resumed: EX_TEMPFAIL.
  private static let stoppedStatus: Int32 = 75

  private func train(_ session: MPISession) throws -> Trainer.Outcome {
    let world = session.world
    Workers.setCount(configuration.batch.threads)
    let hosts = try world.allGather(Array(world.host.utf8)).map {
      String(decoding: $0, as: UTF8.self)
    }
    let watch = try RunWatch(configuration.output, session, hosts: hosts)
    let trainer = try makeTrainer(world, watch)
    if world.rank == 0 { try announce(trainer, hosts, MPISession.libraryVersion) }
    if resume {
      try trainer.resume(allowingOtherImages: allowsOtherImages)
    } else if configuration.model.initialWeights != nil {
      try trainer.start(from: weights)
    }
    let outcome = isDry ? try dryRun(trainer, world) : try record(trainer, world, watch, hosts)
    try watch.finish()
    return outcome
  }

  private func makeTrainer(_ world: Communicator, _ watch: RunWatch) throws -> Trainer {
    let network = try LoadedModel(
      settings.entry, images: images.train.shape,
      configuration: configuration.model.configuration, seed: configuration.optimization.seed)
    let trainer = try Trainer(
      network, configuration, in: settings.folder, train: images.train, test: images.test,
      on: world, monitor: watch.monitor, fault: Registered.fault(rank: world.rank))
    attach(trainer, world)
    return trainer
  }

  private func dryRun(_ trainer: Trainer, _ world: Communicator) throws -> Trainer.Outcome {
    try DryRun(trainer: trainer, world: world).run()
    return .finished
  }

  /// The run itself, written down.
  private func record(
    _ trainer: Trainer, _ world: Communicator, _ watch: RunWatch, _ hosts: [String]
  ) throws -> Trainer.Outcome {
    if world.rank == 0 {
      let session = RunSession(
        step: trainer.step, places: Self.places(hosts), ranks: hosts.count,
        threads: configuration.batch.threads)
      try RunRecorder(configuration, in: settings.folder, session).attach(to: trainer)
    }
    let outcome = try trainer.run()
    if world.rank == 0 { say(outcome, trainer) }
    try watch.report(trainer)
    try trainer.finish()
    return outcome
  }

  /// Says how a run ended that has not made all its steps.
  private func say(_ outcome: Trainer.Outcome, _ trainer: Trainer) {
    switch outcome {
    case .finished: return
    case .outOfPatience(let best):
      print(
        "ended after step \(trainer.step): no better \(evaluation?.leading.name ?? "score") since "
          + "step \(best) (--patience)")
    case .stopped(let signal):
      print(
        "stopped by \(signal) after step \(trainer.step); "
          + "to continue: lathe train --resume --out \(settings.folder)")
    }
    flushOutput()
  }

  private func attach(_ trainer: Trainer, _ world: Communicator) {
    trainer.evaluation = evaluation?.schedule(on: world)
    trainer.shouldStop = { StopRequest.received }
    trainer.hooks.skipped = { path, error in
      warn("passed over a damaged checkpoint: \(error)")
    }
  }

  private func announce(_ trainer: Trainer, _ hosts: [String], _ library: String) throws {
    let run = configuration
    print("lathe \(version): \(run.model.name) on \(run.data.dataset)")
    let lines = [
      ("model", "\(grouped(trainer.store.parameterCount())) parameters: \(groupCounts(trainer))"),
      ("data", splits),
      (
        "ranks",
        "\(hosts.count) (\(Self.places(hosts).joined(separator: ", "))), "
          + "\(counted(run.batch.threads, "thread")) each"
      ),
      (
        "batch",
        "\(run.batch.size) in \(counted(run.slices, "slice")), \(run.slices / hosts.count) a rank, "
          + "\(statistics), seed \(run.optimization.seed)"
      ),
      ("gradients", trainer.transport),
      (
        "kernels",
        "\(Processor.instructionSet), \(Processor.blasVersion) core \(Processor.blasCore)"
      ),
      ("precision", precision), ("MPI", library),
      ("run", "\(counted(run.optimization.steps, "step")) in \(settings.folder)"),
    ]
    for (name, text) in lines { print(listed("  " + name, text, column: 14)) }
    flushOutput()
    trainer.model.remarks(steps: run.optimization.steps).forEach(warn)
    warnOfFewCores(ranksHere: hosts.count { $0 == hosts[0] })
  }

  /// `2 on node1`, for each host.
  private static func places(_ hosts: [String]) -> [String] {
    Dictionary(hosts.map { ($0, 1) }, uniquingKeysWith: +).sorted { $0.key < $1.key }
      .map { "\($0.value) on \($0.key)" }
  }

  private var splits: String {
    let (train, test) = (images.train, images.test)
    let validation = images.validation.map { ", \(grouped($0.count)) for validation" } ?? ""
    return "\(grouped(train.count)) training and \(grouped(test.count)) test images of "
      + "\(train.shape)\(validation)"
  }

  private var statistics: String {
    configuration.batch.statistics == .slice
      ? "batch statistics per slice" : "global batch statistics"
  }

  private var precision: String {
    switch configuration.optimization.precision {
    case .float32: "float32"
    case .bfloat16:
      Processor.hasBFloat16
        ? "bfloat16 operands, float32 sums"
        : "bfloat16 operands, float32 sums, by rounding: this processor has no such instructions"
    }
  }

  private func groupCounts(_ trainer: Trainer) -> String {
    trainer.store.groupNames.map { "\($0) \(grouped(trainer.store.parameterCount(of: $0)))" }
      .joined(separator: ", ")
  }

  private func warnOfFewCores(ranksHere: Int) {
    #if DEBUG
      warn("this is a debug build: expect a fraction of the speed")
    #endif
    let threads = configuration.batch.threads
    let cores = Cores()
    let limit = cores.shared < cores.all ? " (the CPU quota of this container)" : ""
    if threads > cores.usable {
      warn(
        "\(counted(threads, "thread")) on \(counted(cores.usable, "core"))"
          + (Launcher.place == nil || cores.own >= cores.shared
            ? "\(limit): they will wait for each other"
            : ": mpirun binds a rank to \(counted(cores.own, "core")); give mpirun --bind-to none"))
    } else if ranksHere * threads > cores.shared {
      warn(
        "\(counted(ranksHere, "rank")) of \(counted(threads, "thread")) on "
          + "\(counted(cores.shared, "core"))\(limit): they will wait for each other")
    }
  }
}

/// `1 rank`, `2 ranks`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
