import Foundation
import LatheDistributed
import LatheFiles
import LatheReports
import LatheTraining
import SystemPackage

/// The page about some runs.
struct RunReport {
  let runs: [RunSummary]
  /// The most pictures of a kind: the first, the last, and some between.
  private static let pictures = 6
  /// Bytes of pictures on the page, less than base64 makes of 20 MB.
  private static let mostBytes = 12 << 20

  func page() throws(FileError) -> HTMLPage {
    let names = runs.map { $0.folder.lastComponent?.string ?? $0.folder.string }
    var page = HTMLPage(title: names.joined(separator: ", "))
    page.paragraph(runs.map(sentence).joined(separator: " "))
    addScores(&page, names)
    addCurves(&page, names)
    for run in runs { try addPictures(&page, run) }
    addTimes(&page, names)
    addSettings(&page, names)
    page.heading("Machine and command")
    for run in runs { page.paragraph(machines(of: run)) }
    page.paragraph("This page was written by lathe \(version).")
    for run in runs { page.code("lathe train --recipe \(run.folder)/config.yml --out NEW") }
    return page
  }

  private func sentence(_ run: RunSummary) -> String {
    "\(run.folder): \(run.text("model")) on \(run.text("dataset")), \(run.step) of "
      + "\(run.text("steps")) steps."
  }

  // MARK: Scores

  private func addScores(_ page: inout HTMLPage, _ names: [String]) {
    let scores = Set(runs.flatMap(\.scores.keys)).sorted()
    guard !scores.isEmpty else { return }
    page.heading("Scores")
    page.paragraph(
      "The newest of each: of evaluations, and the error per pixel of the last preview on test "
        + "images.")
    page.table(
      head: ["score"] + names,
      scores.map { name in [name] + runs.map { $0.scores[name].map(shortNumber) ?? "–" } })
    for run in runs { addProtocols(&page, run) }
  }

  /// How the scores of `evaluation.json` were computed.
  private func addProtocols(_ page: inout HTMLPage, _ run: RunSummary) {
    guard case .array(let scores)? = run.evaluation?["scores"] else { return }
    page.heading("How they were computed: \(run.folder)", level: 3)
    page.table(
      scores.map { score in
        ["name", "value", "unit", "protocol"].map { key in
          guard let value = score[key] else { return "" }
          return value.asDouble.map(shortNumber) ?? value.text
        }
      })
  }

  // MARK: Curves

  private func addCurves(_ page: inout HTMLPage, _ names: [String]) {
    page.heading("Curves")
    let losses = Set(runs.flatMap(\.lossNames)).sorted()
    let others = ["learning_rate", "gradient_norm"].flatMap { kind in
      Set(runs.flatMap { $0.names(endingIn: kind) }).sorted()
    }
    for name in losses + others + ["images_per_second"] {
      let series = zip(names, runs).map { Chart.Series($0, points: $1.curve(name)) }
      page.curves(name, series, xLabel: "training step")
    }
  }

  // MARK: Pictures

  private func addPictures(_ page: inout HTMLPage, _ run: RunSummary) throws(FileError) {
    let folder = run.folder.appending("samples")
    let names = ((try? FileSystem.names(in: folder, failure: .missing)) ?? []).filter {
      $0.hasSuffix(".png")
    }
    for (kind, title) in [("samples", "Samples"), ("reconstructions", "Reconstructions")] {
      // Those of training, `samples-000500.png`.
      let steps = names.compactMap { name in
        (try? Regex("\(kind)-([0-9]{6,})\\.png").wholeMatch(in: name))?[1].substring
      }
      guard !steps.isEmpty else { continue }
      page.heading("\(title): \(run.folder)")
      for step in Self.spread(steps.map(String.init).sorted()) {
        let path = folder.appending("\(kind)-\(step).png")
        let size = FileSystem.status(path)?.size ?? .max
        guard size < Self.mostBytes / (2 * Self.pictures * runs.count) else {
          page.paragraph("Left out, as it is too large for this page: \(path).")
          continue
        }
        try page.picture(path, caption: "after step \(Int(step) ?? 0)")
      }
    }
  }

  /// The first and the last, and some between at equal distances.
  private static func spread(_ names: [String]) -> [String] {
    guard names.count > pictures else { return names }
    return (0..<pictures).map { names[$0 * (names.count - 1) / (pictures - 1)] }
  }

  // MARK: Times, settings, machine

  private func addTimes(_ page: inout HTMLPage, _ names: [String]) {
    let activities = Activity.allCases.map(\.name)
    let totals = runs.map { run in activities.map { run.total("seconds/\($0)") } }
    let rows = activities.indices.compactMap { index -> [String]? in
      guard totals.contains(where: { $0[index] > 0 }) else { return nil }
      return [activities[index]] + totals.map { String(format: "%.1f s", $0[index]) }
    }
    guard !rows.isEmpty else { return }
    page.heading("Where the time of rank 0 went")
    page.table(head: ["activity"] + names, rows)
  }

  private func addSettings(_ page: inout HTMLPage, _ names: [String]) {
    page.heading("Settings")
    let keys = Set(runs.flatMap(\.settings.keys)).sorted()
    page.table(
      head: ["setting"] + names,
      keys.map { key in [key] + runs.map { $0.settings[key]?.text ?? "–" } })
  }

  /// Where the run was trained, as its log says.
  private func machines(of run: RunSummary) -> String {
    let sessions = run.records.compactMap { RunSession($0)?.text }
    guard !sessions.isEmpty else { return "\(run.folder): its log does not say where it ran." }
    return "\(run.folder): trained \(sessions.joined(separator: "; "))."
  }
}

extension RunSummary {
  /// Names of the log that end so, after a slash.
  func names(endingIn kind: String) -> [String] {
    Set(records.flatMap(\.keys)).filter { $0.hasSuffix("/\(kind)") }.sorted()
  }

  /// The sum of a name over all lines of the log.
  func total(_ name: String) -> Double {
    records.reduce(0) { $0 + ($1[name]?.asDouble ?? 0) }
  }
}
