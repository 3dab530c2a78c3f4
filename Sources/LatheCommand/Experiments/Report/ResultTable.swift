import Foundation
import LatheMetrics

/// A table of a report: obtained scores beside published ones.
struct ResultTable {
  /// A column: a value of the columns' axis, nil without one, and a score.
  struct Column {
    let group: String?
    let score: String
  }

  let part: ReportPart
  let rows: [String]
  let columns: [Column]
  private let scores: [CellScores]

  /// A table of the cells that it is made of, in the order of the grid; rows that are numbers
  /// ascend. Groups of columns for which nothing was evaluated are left out, unless all are.
  init(_ part: ReportPart, cells: [Cell], scores: [CellScores]) {
    self.part = part
    let cells = cells.filter { $0.isOne(of: part.cells) }
    self.scores = scores.filter { $0.cell.isOne(of: part.cells) }
    let texts = cells.map { $0.text(part.rows!) }.uniqued
    let areNumbers = texts.allSatisfy { Double($0) != nil }
    rows = areNumbers ? texts.sorted { Double($0)! < Double($1)! } : texts
    var groups: [String?] = [nil]
    if let axis = part.columns {
      let evaluated = Set(self.scores.map { $0.cell.text(axis) })
      let all = cells.map { $0.text(axis) }.uniqued
      groups = evaluated.isEmpty ? all : all.filter(evaluated.contains)
    }
    columns = groups.flatMap { group in
      part.scores.map { Column(group: group, score: $0) }
    }
  }

  /// What was obtained; nil if no cell of that place was evaluated.
  func obtained(_ row: String, _ column: Column) -> Repeated? {
    let values = scores.filter { scores in
      scores.cell.text(part.rows!) == row
        && column.group.map { $0 == scores.cell.text(part.columns!) } ?? true
    }.compactMap { $0.score(column.score)?.value }
    return values.isEmpty ? nil : Repeated(values: values)
  }

  func published(_ row: String, _ column: Column) -> Double? {
    let value = part.published[column.score]?[row]
    return column.group.map { value?[$0] }.flatMap { $0 }?.asDouble
      ?? (column.group == nil ? value?.asDouble : nil)
  }

  /// Head and rows as text: a column obtained, and one published where anything is.
  var text: (head: [String], rows: [[String]]) {
    let shown = columns.map { column in
      (column, hasPublished: rows.contains { published($0, column) != nil })
    }
    let head = shown.flatMap { column, hasPublished in
      let title = [column.group, name(of: column.score)].compactMap { $0 }.joined(separator: ", ")
      // What was published has features of its own.
      let source = [column.group, column.score].compactMap { $0 }.joined(separator: ", ")
      return [title] + (hasPublished ? ["\(source), published"] : [])
    }
    let body = rows.map { row in
      [row]
        + shown.flatMap { column, hasPublished in
          [obtained(row, column)?.text ?? "–"]
            + (hasPublished ? [published(row, column).map(Self.short) ?? "–"] : [])
        }
    }
    return ([part.rows!] + head, body)
  }

  private static func short(_ value: Double) -> String { String(format: "%.4g", value) }

  /// The name of the score that `…/distance` stood for.
  private func name(of score: String) -> String {
    let names = scores.compactMap { $0.score(score)?.name }.uniqued
    return names.isEmpty ? score : names.joined(separator: " or ")
  }

  /// For each column with published numbers, how far the order of the rows agrees with them.
  var agreements: [String] {
    columns.compactMap { column in
      let pairs = rows.compactMap { row -> (Double, Double)? in
        guard let own = obtained(row, column)?.mean, let other = published(row, column) else {
          return nil
        }
        return (own, other)
      }
      guard let tau = RankCorrelation(pairs.map(\.0), pairs.map(\.1)) else { return nil }
      let place = [column.group, column.score].compactMap { $0 }.joined(separator: ", ")
      let interval = tau.interval.map {
        String(format: ", 95 %% interval %.2f to %.2f", $0.lowerBound, $0.upperBound)
      }
      return "\(place): Kendall's τ \(String(format: "%.2f", tau.value)) over \(pairs.count) rows"
        + (interval ?? "")
    }
  }
}

extension Sequence where Element: Hashable {
  /// Each element once, in the order of the first ones.
  var uniqued: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
