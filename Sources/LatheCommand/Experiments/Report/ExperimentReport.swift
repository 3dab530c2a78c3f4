import ArgumentParser
import Foundation
import LatheFiles
import LatheReports
import LatheTraining
import SystemPackage

struct ExperimentReport: RootCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes tables, charts and pictures of what was run: HTML, Markdown, CSV.",
    usage: "lathe experiment report DIR [EXPERIMENT …]",
    discussion: """
      DIR is the --out of `lathe experiment run`. The files are DIR/report.html, which refers to \
      nothing outside of it, DIR/report.md with DIR/pictures, and DIR/report.csv with every score.
      """)

  @Argument(help: "Folder of experiments that were run.") var folder: String

  @Argument(help: "Experiments to report on (default: all that were run there).")
  var experiments: [String] = []

  func run() throws {
    let place = Reproduction(folder)
    let all = try chosen(place.recorded()).map { try ExperimentSection($0, place) }
    let sections = all.filter { one in !all.contains { $0.takesThePlace(of: one) } }
    let titles = sections.map(\.named.experiment.title).uniqued
    var page = ReportPage(
      title: titles.count == 1 ? titles[0] : "Results of \(titles.count) experiments")
    for section in sections { try section.add(to: &page) }
    try failing {
      try write(Array(page.html().text.utf8), "html", in: place)
      try write(Array(page.markdown(in: place.folder).utf8), "md", in: place)
      try write(Array(ScoreList(sections).csv.utf8), "csv", in: place)
    }
  }

  private func chosen(_ records: [Reproduction.Record]) throws -> [Reproduction.Record] {
    let there = records.map(\.experiment).uniqued
    for name in experiments where !there.contains(name) {
      throw CommandFailure.usage(
        "\(folder): expected one of \(there.joined(separator: ", ")), found \(name)")
    }
    return experiments.isEmpty ? records : records.filter { experiments.contains($0.experiment) }
  }

  private func write(_ bytes: [UInt8], _ ending: String, in place: Reproduction) throws {
    let path = place.folder.appending("report.\(ending)")
    try FileSystem.replace(path, with: bytes)
    print("written          \(path)")
  }
}

/// One experiment's part of a report.
struct ExperimentSection {
  let named: NamedExperiment
  let record: Reproduction.Record
  let runs: [CellRun]
  let scores: [CellScores]

  init(_ record: Reproduction.Record, _ place: Reproduction) throws {
    let folder = try ExperimentFolder.find()
    self.record = record
    named = try folder.experiment(record.file ?? record.experiment)
    let options = CellOptions(evaluation: record.evaluation)
    runs = try named.cells(atScale: record.scale, in: folder).map {
      CellRun(cell: $0, place: place, options: options)
    }
    scores = runs.compactMap { CellScores($0) }
  }

  /// Whether this one has scores, and another, of the same cells evaluated in another way, none.
  func takesThePlace(of other: ExperimentSection) -> Bool {
    (named.name, record.scale) == (other.named.name, other.record.scale)
      && !scores.isEmpty && other.scores.isEmpty
  }

  func add(to page: inout ReportPage) throws {
    page.add(.heading("\(named.experiment.title) (\(named.name), \(record.scale))", level: 2))
    if let source = named.experiment.source { page.add(.paragraph("Published: \(source)")) }
    page.add(.paragraph(state))
    runs.map(\.cell).meanings.forEach { page.add(.paragraph($0)) }
    for part in named.experiment.report {
      page.add(.heading(part.title, level: 3))
      switch part.kind {
      case .table: addTable(part, to: &page)
      case .chart: addCharts(part, to: &page)
      case .curves: addCurves(part, to: &page)
      case .pictures: addPictures(part, to: &page)
      }
      if part.kind != .pictures, let caption = part.caption { page.add(.paragraph(caption)) }
    }
  }

  private var state: String {
    let missing = runs.filter { !$0.isEvaluated }.map(\.cell.name)
    let features = scores.map(\.features).uniqued.joined(separator: "; ")
    return "\(scores.count) of \(runs.count) cells."
      + (features.isEmpty ? "" : " Scores by \(features).")
      + (missing.isEmpty ? "" : " Missing: \(Self.shortened(missing)).")
  }

  private static func shortened(_ names: [String]) -> String {
    let (most, count) = (8, names.count)
    return names.prefix(most).joined(separator: ", ")
      + (count > most ? " and \(count - most) more" : "")
  }

  private func addTable(_ part: ReportPart, to page: inout ReportPage) {
    let table = ResultTable(part, cells: runs.map(\.cell), scores: scores)
    page.add(.table(head: table.text.head, rows: table.text.rows))
    for line in table.agreements { page.add(.paragraph(line)) }
  }

  /// A chart for each score: a point for each value of x, the mean of what differs otherwise.
  private func addCharts(_ part: ReportPart, to page: inout ReportPage) {
    let own = scores.filter { $0.cell.isOne(of: part.cells) }
    for score in part.scores {
      let names = part.lines.map { axis in own.map { $0.cell.text(axis) }.uniqued } ?? [""]
      let series = names.map { name in
        let line = own.filter { cell in part.lines.map { cell.cell.text($0) == name } ?? true }
        return Chart.Series(name, points: points(of: line, part, score))
      }
      page.add(.curves(score, series, xLabel: part.x!))
    }
  }

  private func points(
    of scores: [CellScores], _ part: ReportPart, _ score: String
  ) -> [Chart.Point] {
    let places = Dictionary(grouping: scores) { $0.cell.text(part.x!) }
    let points = places.compactMap { place, scores -> Chart.Point? in
      let values = scores.compactMap { $0.score(score)?.value }
      guard let x = Double(place), !values.isEmpty else { return nil }
      return (x, Repeated(values: values).mean)
    }.sorted { $0.x < $1.x }
    guard part.isScaled, let largest = points.map(\.y).max(), largest > 0 else { return points }
    return points.map { ($0.x, $0.y / largest) }
  }

  private func addCurves(_ part: ReportPart, to page: inout ReportPage) {
    let own = runs.filter { $0.cell.isOne(of: part.cells) }.compactMap { run in
      RunSummary(run.place.run(of: run.cell)).map { (run.cell.name, $0) }
    }
    guard part.log != RunLog.maskName else { return addMasks(own, to: &page) }
    let series = own.compactMap { name, summary -> Chart.Series? in
      let points = summary.curve(part.log!)
      return points.isEmpty ? nil : Chart.Series(name, points: points)
    }
    page.add(
      .curves(part.log!, series, xLabel: "training step", yScale: Chart.Scale.fitting(series)))
    let rows = series.compactMap { CurveEnd($0)?.row }
    if !rows.isEmpty { page.add(.table(head: CurveEnd.head, rows: rows)) }
  }

  /// A chart for each run: a line for each latent dimension.
  private func addMasks(_ runs: [(name: String, summary: RunSummary)], to page: inout ReportPage) {
    for (name, summary) in runs {
      let series = summary.maskCurves.map { Chart.Series("", points: $0) }
      page.add(.curves("α of each dimension, \(name)", series, xLabel: "training step"))
    }
  }

  private func addPictures(_ part: ReportPart, to page: inout ReportPage) {
    for picture in CellPicture.all(part, of: runs) where FileSystem.isFile(picture.file) {
      page.add(.picture(picture.file, caption: picture.caption))
    }
  }
}

/// Where a curve ends, and whether it has flattened by then.
private struct CurveEnd {
  static let head = ["run", "at the end", "change over the last fifth of the steps"]

  let name: String
  let last, change: Double

  /// nil for a curve that has no point in its last fifth but the end.
  init?(_ series: Chart.Series) {
    guard let last = series.points.last,
      let before = series.points.last(where: { $0.x <= 0.8 * last.x }), before.y != 0
    else { return nil }
    (name, self.last, change) = (series.name, last.y, last.y / before.y - 1)
  }

  var row: [String] {
    [name, String(format: "%.4g", last), String(format: "%+.1f %%", 100 * change)]
  }
}

/// Every score of every cell: a line for each.
private struct ScoreList {
  let sections: [ExperimentSection]

  init(_ sections: [ExperimentSection]) { self.sections = sections }

  var csv: String {
    let head = ["experiment", "scale", "cell", "seed", "step", "score", "value", "protocol"]
    let lines = sections.flatMap { section in
      section.scores.flatMap { scores in
        scores.scores.map { score in
          [
            section.named.name, section.record.scale, scores.cell.name, scores.cell.text("seed"),
            "\(scores.step)", score.name, "\(score.value)", score.details,
          ]
        }
      }
    }
    return ([head] + lines).map { $0.map(field).joined(separator: ",") }.joined(separator: "\n")
      + "\n"
  }

  /// RFC 4180.
  private func field(_ text: String) -> String {
    let isPlain = !text.contains { ",\"\r\n".contains($0) || $0.isNewline }
    return isPlain ? text : "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
