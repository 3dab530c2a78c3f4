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

  /// Images in a row of a sheet, `[N, H, W, C]`, and what stands to the left of them.
  struct Row {
    let name: String
    let images: Tensor
  }

  /// Rows of as many images each, one below the other; those beyond 16 in further rows below.
  static func writeRows(_ rows: [Row], title: String, to path: FilePath) throws {
    let shape = rows[0].images.shape
    let columns = min(shape[0], 16)
    let lines = rows.map(\.images.rows)
    let white = [Float](repeating: 1, count: lines[0][0].count)
    let bands = stride(from: 0, to: shape[0], by: columns)
    let cells = bands.flatMap { first in
      lines.flatMap { line in
        (first..<first + columns).map { $0 < line.count ? line[$0] : white }
      }
    }
    var grid = SampleGrid(columns: columns, title: title)
    grid.rowLabels = bands.flatMap { _ in rows.map { $0.name.replacing(" ", with: "\n") } }
    let tiles = Tiles(
      count: cells.count, height: shape[1], width: shape[2], channels: shape[3],
      values: cells.flatMap { $0 })
    try grid.write(tiles, to: path)
  }
}

extension Tiles {
  init(_ images: Tensor) {
    let shape = images.shape
    self.init(
      count: shape[0], height: shape[1], width: shape[2], channels: shape[3], values: images.values)
  }
}
