import ArgumentParser
import Foundation
import LatheData
import LatheDistributed
import LatheFiles
import LatheKernels
import LatheTraining
import Logging
import SystemPackage

/// The part of `lathe train` that runs under MPI.
struct TrainJob {
  let settings: RunSettings
  let configuration: RunConfiguration
  let images: RunImages
  /// How the run evaluates the model; nil if it does not.
  let evaluation: EvaluationPlan?
  let resume: Bool

  func run() throws {
    let session = try RankedJob.start()
    let outcome = try train(session)
    try RankedJob.finish()
    if case .stopped = outcome { throw ExitCode(TrainJob.stoppedStatus) }
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
    let network = try LoadedModel(
      settings.entry, images: images.train.shape,
      configuration: configuration.model.configuration, seed: configuration.optimization.seed)
    let trainer = try Trainer(
      network, configuration, in: settings.folder, train: images.train, test: images.test,
      on: world, monitor: watch.monitor, fault: Fault(rank: world.rank))
    attach(trainer, world, watch)
    if world.rank == 0 { try announce(trainer, hosts, session.libraryVersion) }
    if resume { try trainer.resume() }
    if world.rank == 0 {
      try RunRecorder(configuration, in: settings.folder, startingAt: trainer.step)
        .attach(to: trainer)
    }
    let outcome = try trainer.run()
    if case .stopped(let signal) = outcome, world.rank == 0 {
      print(
        "stopped by \(signal) after step \(trainer.step); "
          + "to continue: lathe train --resume --out \(settings.folder)")
      flushOutput()
    }
    try watch.report(trainer)
    try trainer.finish()
    try watch.finish()
    return outcome
  }

  private func attach(_ trainer: Trainer, _ world: Communicator, _ watch: RunWatch) {
    trainer.evaluation = evaluation?.schedule(on: world, heartbeat: watch.monitor.heartbeat)
    trainer.shouldStop = { StopRequest.received }
    trainer.hooks.skipped = { path, error in
      Logger(label: "lathe") { StreamLogHandler.standardError(label: $0) }
        .warning("passed over a damaged checkpoint: \(error)")
    }
  }

  private func announce(_ trainer: Trainer, _ hosts: [String], _ library: String) throws {
    let perHost = Dictionary(hosts.map { ($0, 1) }, uniquingKeysWith: +)
    let places = perHost.sorted { $0.key < $1.key }.map { "\($0.value) on \($0.key)" }
    let shape = images.train.shape
    print(
      """
      lathe \(version): \(configuration.model.name) on \(configuration.data.dataset)
        model       \(grouped(trainer.store.parameterCount())) parameters: \(groupCounts(trainer))
        data        \(grouped(images.train.count)) training and \(grouped(images.test.count)) test images of \(shape)\(validation)
        ranks       \(hosts.count) (\(places.joined(separator: ", "))), \(configuration.batch.threads) thread(s) each
        batch       \(configuration.batch.size) in \(configuration.slices) slices, \(configuration.slices / hosts.count) a rank, \(statistics), seed \(configuration.optimization.seed)
        gradients   \(trainer.transport)
        kernels     \(Processor.instructionSet), \(Processor.blasVersion) core \(Processor.blasCore)
        products    \(products)
        MPI         \(library)
        run         \(configuration.optimization.steps) steps in \(settings.folder)
      """)
    flushOutput()
    warn(ranksHere: perHost[hosts[0]] ?? 1)
  }

  private var statistics: String {
    configuration.batch.statistics == .slice
      ? "batch statistics per slice" : "global batch statistics"
  }

  private var validation: String {
    images.validation.map { ", \(grouped($0.count)) for validation" } ?? ""
  }

  private var products: String {
    switch configuration.optimization.precision {
    case .float32: "float32"
    case .bfloat16:
      Processor.hasBFloat16
        ? "bfloat16 factors, float32 sums"
        : "bfloat16 factors, float32 sums, by rounding: this processor has no such instructions"
    }
  }

  private func groupCounts(_ trainer: Trainer) -> String {
    trainer.store.groupNames.map { "\($0) \(grouped(trainer.store.parameterCount(of: $0)))" }
      .joined(separator: ", ")
  }

  private func warn(ranksHere: Int) {
    let logger = Logger(label: "lathe") { StreamLogHandler.standardError(label: $0) }
    #if DEBUG
      logger.warning("this is a debug build: expect a fraction of the speed")
    #endif
    let cores = ProcessInfo.processInfo.activeProcessorCount
    if ranksHere * configuration.batch.threads > cores {
      logger.warning(
        "\(ranksHere) ranks × \(configuration.batch.threads) threads on \(cores) cores: they will wait for each other"
      )
    }
  }
}
