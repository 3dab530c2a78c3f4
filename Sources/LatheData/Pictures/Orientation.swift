/// How a picture lies in its file: what EXIF calls Orientation, 1 to 8.
///
/// The upright picture is made by exchanging rows and columns, if they are exchanged, of the stored
/// picture with its rows and its columns in reverse order, if they are reversed.
struct Orientation: Equatable {
  /// As stored, 1.
  static let upright = Orientation(rawValue: 1)!

  let swapsAxes: Bool
  let reversesRows: Bool
  let reversesColumns: Bool

  /// Nil for another number than 1 to 8.
  init?(rawValue: Int) {
    guard 1...8 ~= rawValue else { return nil }
    swapsAxes = rawValue >= 5
    reversesRows = [3, 4, 6, 7].contains(rawValue)
    reversesColumns = [2, 3, 7, 8].contains(rawValue)
  }

  /// What an EXIF block says, with or without `Exif` before its TIFF header; upright if it says
  /// nothing or is damaged.
  ///
  /// The format: CIPA DC-008, "Exchangeable image file format", 4.5 and 4.6.
  init(exif block: UnsafeRawBufferPointer) {
    let hasName = block.starts(with: Array("Exif\0\0".utf8))
    let tiff = hasName ? UnsafeRawBufferPointer(rebasing: block[6...]) : block
    self = Self.values(in: tiff).last.flatMap(Orientation.init) ?? .upright
  }

  /// The values of all tags 0x0112 in the first directory.
  private static func values(in tiff: UnsafeRawBufferPointer) -> [Int] {
    let isBigEndian = tiff.starts(with: Array("MM".utf8))
    guard isBigEndian || tiff.starts(with: Array("II".utf8)) else { return [] }
    func number(_ offset: Int, _ count: Int) -> Int? {
      tiff.number(at: offset, count: count, isBigEndian: isBigEndian)
    }
    guard number(2, 2) == 42, let start = number(4, 4), let count = number(start, 2) else {
      return []
    }
    var values: [Int] = []
    for entry in 0..<count {
      let place = start + 2 + 12 * entry
      guard let tag = number(place, 2), let type = number(place + 2, 2),
        let length = number(place + 4, 4), tiff.part(at: place + 8, count: 4) != nil
      else { break }
      guard tag == 0x0112, length == 1, let size = [3: 2, 4: 4][type] else { continue }
      values += number(place + 8, size).map { [$0] } ?? []
    }
    return values
  }
}

extension DecodedImage {
  /// The upright picture of one that is stored in another orientation.
  func upright(from orientation: Orientation) -> DecodedImage {
    if orientation == .upright { return self }
    let (down, right) = (orientation.reversesRows ? -1 : 1, orientation.reversesColumns ? -1 : 1)
    let start =
      (orientation.reversesRows ? (height - 1) * width : 0)
      + (orientation.reversesColumns ? width - 1 : 0)
    let steps = (row: down * width, column: right)
    return orientation.swapsAxes
      ? walked(height: width, width: height, from: start, row: steps.column, column: steps.row)
      : walked(height: height, width: width, from: start, row: steps.row, column: steps.column)
  }

  /// The picture whose pixel (i, j) is number `start` + i `row` + j `column` of this one.
  private func walked(height: Int, width: Int, from start: Int, row: Int, column: Int)
    -> DecodedImage
  {
    let channels = channels
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, count in
      pixels.withUnsafeBufferPointer { source in
        // In squares, so that what is read of a line of the cache is used while it is there.
        for (top, left) in Self.squares(height: height, width: width, side: 64) {
          for i in top..<min(top + 64, height) {
            for j in left..<min(left + 64, width) {
              let (from, to) = (channels * (start + i * row + j * column), i * width + j)
              for channel in 0..<channels {
                target[channels * to + channel] = source[from + channel]
              }
            }
          }
        }
      }
      count = pixels.count
    }
    return DecodedImage(height: height, width: width, channels: channels, pixels: turned)
  }

  /// The upper left corners of squares that cover a picture.
  private static func squares(height: Int, width: Int, side: Int)
    -> some Sequence<(top: Int, left: Int)>
  {
    stride(from: 0, to: height, by: side).lazy.flatMap { top in
      stride(from: 0, to: width, by: side).lazy.map { (top, $0) }
    }
  }
}
