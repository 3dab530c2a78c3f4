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
}

extension Tiles {
  init(_ images: Tensor) {
    let shape = images.shape
    self.init(
      count: shape[0], height: shape[1], width: shape[2], channels: shape[3], values: images.values)
  }
}
