import LatheFiles
import LatheTraining

/// A grid of runs, how each is evaluated, and what is made of the scores: a YAML file.
struct Experiment: Decodable {
  /// One line on what it shows.
  let title: String
  /// Where published numbers come from.
  let source: String?
  /// Blocks of axes with their values; a block's cells are all combinations. An axis is a setting
  /// of a run, such as `model`, `dataset` or `seed`, a hyperparameter, such as `latentSize`, or one
  /// of `values`.
  let grid: [Axes]
  /// Axes with named values, and what each name stands for: values of other axes.
  let values: NamedValues
  /// Settings of every run, over its recipe and the scale.
  let settings: [String: JSONValue]
  /// The same, for one scale only.
  let scales: [String: Scale]
  let report: [ReportPart]

  typealias Axes = [String: [JSONValue]]
  /// By axis and name: settings of a run or hyperparameters.
  typealias NamedValues = [String: [String: [String: JSONValue]]]

  /// The key of a file that names another experiment, whose keys it has where it says nothing.
  static let likeKey = "like"

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case title, source, grid, values, settings, scales, report
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(strictlyKeyedBy: CodingKeys.self)
    title = try values.decode(String.self, forKey: .title)
    source = try values.decodeIfPresent(String.self, forKey: .source)
    grid = try values.decode(OneOrMore<Axes>.self, forKey: .grid).values
    self.values = try values.decodeIfPresent(NamedValues.self, forKey: .values) ?? [:]
    settings = try values.decodeIfPresent([String: JSONValue].self, forKey: .settings) ?? [:]
    scales = try values.decodeIfPresent([String: Scale].self, forKey: .scales) ?? [:]
    report = try values.decode([ReportPart].self, forKey: .report)
  }
}

/// How large the runs of an experiment are: settings laid over recipes.
struct Scale: Decodable {
  /// What it is for.
  let title: String
  /// Whether runs begin with the recipe of their model and data set.
  let usesRecipes: Bool
  let settings: [String: JSONValue]
  /// Over these, for runs on a data set, of a model, of `MODEL-DATASET`.
  let datasets, models, cells: [String: [String: JSONValue]]
  /// Over the experiment's own.
  let values: Experiment.NamedValues

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case title, recipes, settings, datasets, models, cells, values
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(strictlyKeyedBy: CodingKeys.self)
    func layers(_ key: CodingKeys) throws -> [String: [String: JSONValue]] {
      try values.decodeIfPresent([String: [String: JSONValue]].self, forKey: key) ?? [:]
    }
    title = try values.decodeIfPresent(String.self, forKey: .title) ?? ""
    usesRecipes = try values.decodeIfPresent(Bool.self, forKey: .recipes) ?? true
    settings = try values.decodeIfPresent([String: JSONValue].self, forKey: .settings) ?? [:]
    (datasets, models, cells) = (try layers(.datasets), try layers(.models), try layers(.cells))
    self.values = try values.decodeIfPresent(Experiment.NamedValues.self, forKey: .values) ?? [:]
  }

  /// What is laid over the recipe of a model on a data set, the last on top.
  func layers(model: String, dataset: String) -> [[String: JSONValue]] {
    [settings, datasets[dataset], models[model], cells["\(model)-\(dataset)"]].compactMap { $0 }
  }
}

/// What is made of an experiment's scores.
struct ReportPart: Decodable {
  enum Kind { case table, chart, curves, pictures }

  let kind: Kind
  let title: String
  /// The cells that it is made of, by values of axes; all where it says nothing.
  let cells: Experiment.Axes
  /// Of a table: the axes that its rows and groups of columns stand for.
  let rows, columns: String?
  /// Of a table or a chart. `generation/distance` stands for the Fréchet distance by whichever
  /// features.
  let scores: [String]
  /// Of a table: published values by score, row and column; without `columns`, by score and row.
  let published: [String: [String: JSONValue]]
  /// Of a chart: the axis below, and the axis that has a line for each value.
  let x, lines: String?
  /// Of a chart: whether each line is divided by its largest value.
  let isScaled: Bool
  /// Of curves: the name in the log.
  let log: String?
  /// Of pictures: the command that draws one of a run, with its arguments.
  let command: [String]
  /// Of pictures: the axes whose cells are together in one picture; none for one of each cell.
  let together: [String]
  /// What is seen there.
  let caption: String?

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case table, chart, curves, pictures
    case cells, rows, columns, scores, published, x, lines, scaled, log, command, together, caption
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(strictlyKeyedBy: CodingKeys.self)
    let kinds: [(CodingKeys, Kind)] = [
      (.table, .table), (.chart, .chart), (.curves, .curves), (.pictures, .pictures),
    ]
    guard let (key, kind) = kinds.first(where: { values.contains($0.0) }) else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "expected one of table, chart, curves and pictures, with a title"))
    }
    self.kind = kind
    title = try values.decode(String.self, forKey: key)
    cells = try values.decodeIfPresent(Experiment.Axes.self, forKey: .cells) ?? [:]
    rows = try values.decodeIfPresent(String.self, forKey: .rows)
    columns = try values.decodeIfPresent(String.self, forKey: .columns)
    scores = try values.decodeIfPresent([String].self, forKey: .scores) ?? []
    published =
      try values.decodeIfPresent([String: [String: JSONValue]].self, forKey: .published) ?? [:]
    x = try values.decodeIfPresent(String.self, forKey: .x)
    lines = try values.decodeIfPresent(String.self, forKey: .lines)
    isScaled = try values.decodeIfPresent(Bool.self, forKey: .scaled) ?? false
    log = try values.decodeIfPresent(String.self, forKey: .log)
    command = try values.decodeIfPresent([String].self, forKey: .command) ?? []
    together = try values.decodeIfPresent(OneOrMore<String>.self, forKey: .together)?.values ?? []
    caption = try values.decodeIfPresent(String.self, forKey: .caption)
    try requireMembers(decoder)
  }

  /// - Throws: `DecodingError` naming what a part of this kind needs.
  private func requireMembers(_ decoder: any Decoder) throws {
    let missing: String? =
      switch kind {
      case .table: rows == nil ? "rows" : scores.isEmpty ? "scores" : nil
      case .chart: x == nil ? "x" : scores.isEmpty ? "scores" : nil
      case .curves: log == nil ? "log" : nil
      case .pictures: command.isEmpty ? "command" : nil
      }
    guard let missing else { return }
    throw DecodingError.dataCorrupted(
      .init(
        codingPath: decoder.codingPath, debugDescription: "expected \(missing) for '\(title)'"))
  }
}

// MARK: Reading

/// One value, or a list of them.
private struct OneOrMore<Value: Decodable>: Decodable {
  let values: [Value]

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do { values = [try container.decode(Value.self)] } catch {
      guard let list = try? container.decode([Value].self) else { throw error }
      values = list
    }
  }
}

/// Any key.
private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension Decoder {
  /// The container of a mapping that has no other keys than these.
  fileprivate func container<Key: CodingKey & CaseIterable>(
    strictlyKeyedBy type: Key.Type
  ) throws -> KeyedDecodingContainer<Key> {
    let known = type.allCases.map(\.stringValue)
    let found = try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
    if let unknown = found.first(where: { !known.contains($0) }) {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: codingPath,
          debugDescription: "unknown key '\(unknown)'; known are \(known.joined(separator: ", "))"))
    }
    return try container(keyedBy: type)
  }
}
