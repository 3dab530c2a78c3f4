import LatheDistributed
import LatheFiles
import Foundation
import SystemPackage
import LatheTraining

/// Writes down a run on rank 0: `config.yml`, `metrics.jsonl`, pictures, and the terminal.
final class RunRecorder {
  private let run: RunConfiguration
  private let folder: FilePath
  private let log: RunLog
  private let events: RunEvents
  private let progress: ProgressLine
  private let working = TaskProgress(after: 2)
  private let start = ContinuousClock.now
  private let firstStep: Int
  private var trainingSeconds = 0.0
  private var dataSeconds = 0.0
  private var steps = 0
  /// Seconds of each activity since the last line of the log.
  private var unlogged = [Double](repeating: 0, count: Activity.allCases.count)
  private var firstError: Double?
  private var isLogged: (Int) -> Bool = { _ in true }

  /// - Throws: `FileError.unwritable`.
  init(_ run: RunConfiguration, in folder: FilePath, _ session: RunSession) throws {
    let step = session.step
    self.run = run
    self.folder = folder
    firstStep = step
    progress = ProgressLine(
      total: run.optimization.steps, batch: run.batch.size, after: step)
    log = try RunLog(folder: folder, resumingAt: step)
    events = try RunEvents(run, in: folder, startingAt: step)
    try FileManager.default.createDirectory(
      atPath: folder.appending("samples").string, withIntermediateDirectories: true)
    try RunRecorder.write(Recipe.yaml(of: run), to: folder.appending(Recipe.fileName))
    try log.write(session.members)
    if step > 0 { progress.say("resumed after step \(step)") }
  }

  func attach(to trainer: Trainer) {
    isLogged = trainer.isLogged
    trainer.hooks.stepped = stepped
    trainer.hooks.previewed = previewed
    trainer.hooks.evaluated = evaluated
    trainer.hooks.ended = ended
    trainer.hooks.working = { [progress, working] task, done, total in
      progress.pause()
      working.show(task, done, total)
    }
    trainer.hooks.saved = { [progress] step, path in progress.say("checkpoint \(path)") }
  }

  private func stepped(_ record: Trainer.StepRecord) throws {
    progress.show(record)
    steps += 1
    trainingSeconds += record.seconds
    dataSeconds += record.times[Activity.data.rawValue]
    unlogged = zip(unlogged, record.times).map(+)
    guard isLogged(record.step) else { return }
    var members: [String: JSONValue] = [
      "event": .string("step"), "step": .int(record.step), "seconds": .double(record.seconds),
      "time": .double(Date().timeIntervalSince1970),
      "images_per_second": .double(Double(run.batch.size) / record.seconds),
    ]
    for (name, value) in record.losses { members[name] = .double(Double(value)) }
    for (phase, rate) in record.rates { members["\(phase)/learning_rate"] = .double(Double(rate)) }
    for (phase, norm) in record.norms { members["\(phase)/gradient_norm"] = .double(Double(norm)) }
    try events.add(step: record.step, members)
    if !record.mask.isEmpty { members[RunLog.maskName] = .array(record.mask.map(Self.number)) }
    try log.write(members.merging(takeTimes()) { $1 })
  }

  /// A number with the digits that tell it from other floats.
  private static func number(_ value: Float) -> JSONValue { .double(Double("\(value)") ?? 0) }

  /// What came after the last step: its evaluation and checkpoint.
  private func ended(step: Int, times: [Double]) throws {
    progress.pause()
    unlogged = zip(unlogged, times).map(+)
    let members: [String: JSONValue] = ["event": .string("end"), "step": .int(step)]
    try log.write(members.merging(takeTimes()) { $1 })
  }

  /// Seconds of each activity since the line before, by their names in the log.
  private func takeTimes() -> [String: JSONValue] {
    defer { unlogged = unlogged.map { _ in 0 } }
    let spent = Activity.allCases.filter { unlogged[$0.rawValue] > 0 }
    return Dictionary(
      uniqueKeysWithValues: spent.map {
        ("seconds/\($0.name)", .double(unlogged[$0.rawValue]))
      })
  }

  private func previewed(_ preview: Preview) throws {
    working.finish()
    firstError = firstError ?? preview.reconstructionError
    var members: [String: JSONValue] = [
      "event": .string("preview"), "step": .int(preview.step), "split": .string("test"),
      "sampler": .string(run.sampler.rawValue),
      "images": .int(preview.count),
      "reconstruction_error_per_pixel": .double(preview.reconstructionError),
    ]
    members["sampler_codes"] = preview.codes.map { .int($0.fitted) }
    try log.write(members)
    try events.add(
      step: preview.step,
      ["reconstruction_error_per_pixel": .double(preview.reconstructionError)], in: "test")
    let paths = try pictures(of: preview)
    progress.say(
      "step \(preview.step): reconstruction error "
        + "\(decimals(preview.reconstructionError)) per pixel on "
        + "\(preview.count) test images")
    if preview.isLast { summarise(preview, paths) } else { progress.proceed() }
  }

  private func evaluated(_ record: Trainer.EvaluationRecord) throws {
    working.finish()
    let line: [String: JSONValue] = [
      "event": .string("evaluation"), "step": .int(record.step), "split": .string("validation"),
      "best": .bool(record.isBest),
    ]
    try log.write(line.merging(record.evaluation.members) { $1 })
    try events.add(step: record.step, record.evaluation.members, in: "validation")
    let best = record.isBest ? "; the best so far, kept in \(folder.appending("best"))" : ""
    progress.say(
      "step \(record.step), on validation images\(best):\n\(EvaluationTable(record.evaluation))")
    if let factor = record.lowerRates {
      progress.say(
        "no better for long enough: learning rates are multiplied by \(factor) from here on "
          + "(--schedule plateau)")
    }
    progress.proceed()
  }

  private func pictures(of preview: Preview) throws -> [(name: String, path: FilePath)] {
    guard let originals = preview.originals, let made = preview.reconstructions,
      let samples = preview.samples
    else { return [] }
    let pictures = folder.appending("samples")
    let number = String(format: "%06d", preview.step)
    let paths = [
      (name: "samples", path: pictures.appending("samples-\(number).png")),
      (name: "reconstructions", path: pictures.appending("reconstructions-\(number).png")),
    ]
    try Pictures.writeSamples(samples, to: paths[0].path)
    try Pictures.writeReconstructions(originals, made, to: paths[1].path)
    for (name, path) in paths { try events.add(step: preview.step, image: name, at: path) }
    return paths
  }

  private func summarise(_ preview: Preview, _ paths: [(name: String, path: FilePath)]) {
    let rate = steps == 0 ? 0 : Double(steps * run.batch.size) / trainingSeconds
    let from = firstStep == 0 ? "" : " (resumed after \(firstStep))"
    let share = String(format: "%.2f %%", 100 * dataSeconds / max(trainingSeconds, 1e-9))
    let first = firstError.map { "\(decimals($0)) → " } ?? ""
    progress.say(
      """
      steps            \(preview.step)\(from) in \(spell(seconds: trainingSeconds)) of training, \
      \(spell(seconds: (ContinuousClock.now - start).seconds)) in all
      images/s         \(String(format: "%.1f", rate)), waiting for data \(share) of the time
      test error/pixel \(first)\(decimals(preview.reconstructionError))
      """)
    if let leftOut = leftOut(of: preview) { progress.say(listed("left out", leftOut, column: 17)) }
    for (name, path) in paths {
      progress.say(name.padding(toLength: 17, withPad: " ", startingAt: 0) + path.string)
    }
  }

  /// What the time after the last step was too short for; nil if nothing.
  private func leftOut(of preview: Preview) -> String? {
    var parts: [String] = []
    if let codes = preview.codes, codes.fitted < codes.all {
      parts.append(
        "the \(run.sampler.rawValue) sampler was fitted to \(grouped(codes.fitted)) of "
          + "\(grouped(codes.all)) codes and not kept")
    }
    if preview.count < preview.testCount {
      parts.append(
        "\(grouped(preview.count)) of \(grouped(preview.testCount)) test images were "
          + "reconstructed")
    }
    guard !parts.isEmpty else { return nil }
    return parts.joined(separator: ", ") + ", to end soon; `lathe evaluate \(folder)` takes all"
  }

  private func decimals(_ value: Double) -> String { String(format: "%.5f", value) }

  private static func write(_ text: String, to path: FilePath) throws {
    try FileSystem.replace(path, with: text)
  }
}
