import LatheReports
import SystemPackage
import LatheTensors

/// Writes grids of images `[N, H, W, C]` in [0, 1].
enum Pictures {
  private static let columns = 8

  static func writeSamples(_ images: Tensor, title: String? = nil, to path: FilePath) throws {
    try SampleGrid(columns: columns, title: title).write(Tiles(images), to: path)
  }

  /// Rows of originals, each above its reconstructions.
  static func writeReconstructions(
    _ originals: Tensor, _ reconstructions: Tensor, title: String? = nil, to path: FilePath
  ) throws {
    try SampleGrid(columns: columns, title: title).write(
      originals: Tiles(originals), reconstructions: Tiles(reconstructions), to: path)
  }

  /// A row of originals above a row of each model's reconstructions; more originals below.
  static func writeReconstructions(
    _ originals: Tensor, called words: String, _ models: [(name: String, images: Tensor)],
    title: String, to path: FilePath
  ) throws {
    let columns = min(originals.shape[0], 16)
    let rows = [(name: words, images: originals)] + models
    let bands = stride(from: 0, to: originals.shape[0], by: columns)
    let white = [Float](repeating: 1, count: originals.rows[0].count)
    let lines = rows.map(\.images.rows)
    let cells = bands.flatMap { first in
      lines.flatMap { line in
        (first..<first + columns).map { $0 < line.count ? line[$0] : white }
      }
    }
    var grid = SampleGrid(columns: columns, title: title)
    grid.rowLabels = bands.flatMap { _ in rows.map { $0.name.replacing(" ", with: "\n") } }
    let shape = originals.shape
    try grid.write(
      Tiles(
        count: cells.count, height: shape[1], width: shape[2], channels: shape[3],
        values: cells.flatMap { $0 }), to: path)
  }
}

extension Tiles {
  init(_ images: Tensor) {
    let shape = images.shape
    self.init(
      count: shape[0], height: shape[1], width: shape[2], channels: shape[3], values: images.values)
  }
}
