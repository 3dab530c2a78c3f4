import LatheFiles
import SystemPackage

/// The layout of images in a grid: row by row, a gap around each, each pixel enlarged to a square.
public struct SampleGrid: Sendable {
  /// Images in a row of the grid.
  public var columns: Int
  /// Pixels of background around each image.
  public var gap = 2
  /// The side of the square that shows one pixel; nil for the minimum that makes images 48 high or
  /// wide.
  public var magnification: Int?
  /// The grey value between the images.
  public var background: UInt8 = 255
  /// A line of text above the images, cut off where the picture ends.
  public var title: String?
  /// Text below each image, in lines, cut off where the image ends; empty for none.
  public var captions: [String] = []
  /// Text to the left of each row, in lines; empty for none.
  public var rowLabels: [String] = []

  /// A grid of so many columns.
  public init(columns: Int, magnification: Int? = nil, title: String? = nil) {
    require(columns > 0, "SampleGrid: \(columns) columns")
    require(magnification ?? 1 > 0, "SampleGrid: magnification \(magnification ?? 0)")
    self.columns = columns
    self.magnification = magnification
    self.title = title
  }

  /// The images in their order, the last row filled up with background.
  ///
  /// - Throws: `ReportError.nonFinite` if a value is not finite.
  public func picture(of tiles: Tiles) throws(ReportError) -> Picture {
    draw(try tiles.levels(), as: tiles) { (row: $0 / columns, column: $0 % columns) }
  }

  /// Rows of originals, each above the row of their reconstructions.
  ///
  /// Shapes: both are `[N, height, width, channels]`.
  /// - Throws: `ReportError.nonFinite` if a value is not finite; reconstructions count from N on.
  public func picture(originals: Tiles, reconstructions: Tiles) throws(ReportError) -> Picture {
    require(
      originals.isAlike(reconstructions),
      "SampleGrid: originals and reconstructions differ in shape")
    let half = originals.count
    let both = Tiles(
      count: 2 * half, height: originals.height, width: originals.width,
      channels: originals.channels, values: originals.values + reconstructions.values)
    return draw(try both.levels(), as: both) { image in
      let place = image % half
      return (row: 2 * (place / columns) + image / half, column: place % columns)
    }
  }

  /// Draws the images and writes them: SVG if the path ends in `.svg`, with the title as text, else
  /// PNG.
  ///
  /// - Throws: `ReportError`: another ending, a value that is not finite; `FileError` if the file
  ///   cannot be written.
  public func write(_ tiles: Tiles, to path: FilePath) throws {
    try write(to: path) { (grid) throws(ReportError) in try grid.picture(of: tiles) }
  }

  /// The same for rows of originals above rows of their reconstructions.
  public func write(originals: Tiles, reconstructions: Tiles, to path: FilePath) throws {
    try write(to: path) { (grid) throws(ReportError) in
      try grid.picture(originals: originals, reconstructions: reconstructions)
    }
  }

  private func write(
    to path: FilePath, _ draw: (SampleGrid) throws(ReportError) -> Picture
  ) throws {
    guard try FigureFormat(of: path) == .svg else { return try draw(self).write(to: path) }
    var untitled = self
    untitled.title = nil
    try draw(untitled).writeSVG(title: title, to: path)
  }

  private typealias Cell = (row: Int, column: Int)

  private func draw(_ levels: [UInt8], as tiles: Tiles, at cell: (Int) -> Cell) -> Picture {
    let layout = Layout(
      self, tiles: tiles, rows: (0..<tiles.count).reduce(0) { max($0, cell($1).row + 1) })
    var picture = Picture(
      width: layout.width, height: layout.height, channels: tiles.channels,
      filledWith: background)
    let ink: UInt8 = background < 128 ? 255 : 0
    if let title { layout.draw(title, onto: &picture, level: ink) }
    for (row, label) in rowLabels.enumerated() {
      layout.draw(label, leftOfRow: row, onto: &picture, level: ink)
    }
    for image in 0..<tiles.count {
      let (row, column) = cell(image)
      layout.draw(levels, image: image, row: row, column: column, onto: &picture)
      if image < captions.count {
        layout.draw(captions[image], row: row, column: column, onto: &picture, level: ink)
      }
    }
    return picture
  }
}

extension Tiles {
  fileprivate func isAlike(_ other: Tiles) -> Bool {
    (count, height, width, channels) == (other.count, other.height, other.width, other.channels)
  }
}

/// Where the images of a grid come to lie, in pixels.
private struct Layout {
  let tiles: Tiles
  let gap: Int
  let scale: Int
  let width: Int
  let height: Int
  /// Pixels for one dot of the title: 2 if it fits, else 1.
  private let textScale: Int
  /// The rows above the images.
  private let header: Int
  /// The columns to the left of the images.
  private let indent: Int
  /// The rows below each image that hold its caption.
  private let footer: Int

  init(_ grid: SampleGrid, tiles: Tiles, rows: Int) {
    self.tiles = tiles
    require(
      grid.gap >= 0 && grid.columns > 0, "SampleGrid: gap \(grid.gap), \(grid.columns) columns")
    gap = grid.gap
    scale = grid.magnification ?? max(1, (48 + tiles.longestSide - 1) / tiles.longestSide)
    let letters = grid.rowLabels.flatMap { $0.split(separator: "\n") }.map(\.count).max() ?? 0
    indent = letters == 0 ? 0 : grid.gap + letters * BitmapFont.advance * Self.labelScale
    width = indent + gap + grid.columns * (tiles.width * scale + gap)
    let textWidth = (grid.title?.count ?? 0) * BitmapFont.advance
    textScale = gap + 2 * textWidth <= width ? 2 : 1
    header = grid.title == nil ? gap : 2 * gap + BitmapFont.height * textScale
    let lines = grid.captions.map { $0.split(separator: "\n").count }.max() ?? 0
    footer = lines * (BitmapFont.height + 1)
    height = header + rows * (tiles.height * scale + footer + gap)
  }

  func draw(_ title: String, onto picture: inout Picture, level: UInt8) {
    picture.draw(title, top: gap, left: gap, scale: textScale, level: level)
  }

  /// Pixels for one dot of a row's label, where its lines fit beside the row; else 1.
  private static let labelScale = 2

  /// A label's lines, beside the middle of a row.
  func draw(_ label: String, leftOfRow row: Int, onto picture: inout Picture, level: UInt8) {
    let lines = label.split(separator: "\n")
    let room = tiles.height * scale
    let height = lines.count * (BitmapFont.height + 2)
    let scale = Self.labelScale * height <= room ? Self.labelScale : 1
    let start = top(ofRow: row) + max(0, room - scale * height) / 2
    for (number, text) in lines.enumerated() {
      let top = start + number * scale * (BitmapFont.height + 2)
      picture.draw(String(text), top: top, left: gap, scale: scale, level: level)
    }
  }

  private func left(ofColumn column: Int) -> Int {
    indent + gap + column * (tiles.width * scale + gap)
  }

  func draw(_ levels: [UInt8], image: Int, row: Int, column: Int, onto picture: inout Picture) {
    let top = top(ofRow: row)
    let left = left(ofColumn: column)
    for y in 0..<tiles.height * scale {
      let line = enlargedLine(image * tiles.height + y / scale, of: levels)
      let start = ((top + y) * picture.width + left) * tiles.channels
      picture.pixels.replaceSubrange(start..<start + line.count, with: line)
    }
  }

  private func top(ofRow row: Int) -> Int {
    header + row * (tiles.height * scale + footer + gap)
  }

  /// A caption's lines below an image.
  func draw(_ caption: String, row: Int, column: Int, onto picture: inout Picture, level: UInt8) {
    let left = left(ofColumn: column)
    let letters = (tiles.width * scale + 1) / BitmapFont.advance
    for (line, text) in caption.split(separator: "\n").enumerated() {
      let top = top(ofRow: row) + tiles.height * scale + 1 + line * (BitmapFont.height + 1)
      picture.draw(String(text.prefix(letters)), top: top, left: left, scale: 1, level: level)
    }
  }

  /// A row of pixels of all images' rows, each pixel repeated `scale` times.
  private func enlargedLine(_ number: Int, of levels: [UInt8]) -> [UInt8] {
    let start = number * tiles.width * tiles.channels
    return (0..<tiles.width * scale).flatMap { x in
      let pixel = start + x / scale * tiles.channels
      return levels[pixel..<pixel + tiles.channels]
    }
  }
}

extension Tiles {
  fileprivate var longestSide: Int { max(height, width) }
}
