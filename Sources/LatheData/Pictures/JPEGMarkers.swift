import Glibc

/// What the markers of a JPEG say before any picture is decoded.
///
/// The format: ITU-T T.81, Annex B. The walk ends where a segment does not fit in; what is damaged,
/// libjpeg-turbo says.
struct JPEGMarkers {
  /// A start of frame.
  struct Frame {
    /// 0xc0 to 0xcf: how the picture is coded.
    let marker: UInt8
    /// Bits of a sample.
    let precision: Int
    let height: Int
    let width: Int
    let components: Int
  }

  /// The first start of frame.
  private(set) var frame: Frame?
  /// The number of scans.
  private(set) var scans = 0
  /// As the first EXIF block says.
  private(set) var orientation: Orientation?
  /// Where a JFIF header names another major revision than 1.
  private var unknownRevisions: [Int] = []
  /// Bytes between segments that belong to none, as some cameras and scanners leave them.
  private var strayBytes: [Range<Int>] = []

  init(_ bytes: UnsafeRawBufferPointer) {
    var place = 2
    while let marker = nextMarker(in: bytes, at: &place), marker != 0xd9 {
      if marker == 0x01 || 0xd0...0xd7 ~= marker { continue }
      guard let length = bytes.number(at: place, count: 2), length >= 2,
        let content = bytes.part(at: place + 2, count: length - 2)
      else { return }
      note(marker, content, at: place + 2)
      place += length
      if marker == 0xda { place = Self.endOfScan(in: bytes, from: place) }
    }
  }

  /// The file without stray bytes and with the known revision of JFIF, of both of which
  /// libjpeg-turbo warns, though they say nothing of the picture; nil if it has neither.
  func mended(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    if strayBytes.isEmpty && unknownRevisions.isEmpty { return nil }
    var copy = Array(bytes)
    for place in unknownRevisions { copy[place] = 1 }
    var end = strayBytes.first?.lowerBound ?? bytes.count
    for (stray, next) in zip(strayBytes, strayBytes.dropFirst().map(\.lowerBound) + [bytes.count]) {
      _ = copy.withUnsafeMutableBytes {
        memmove($0.baseAddress! + end, $0.baseAddress! + stray.upperBound, next - stray.upperBound)
      }
      end += next - stray.upperBound
    }
    copy.removeLast(copy.count - end)
    return copy
  }

  /// The next marker from `place` on, which is then after it.
  private mutating func nextMarker(in bytes: UnsafeRawBufferPointer, at place: inout Int)
    -> UInt8?
  {
    let start = place
    var hasStrayBytes = false
    while place + 1 < bytes.count {
      place += 1
      if bytes[place - 1] != 0xff || bytes[place] == 0 {
        hasStrayBytes = true
      } else if bytes[place] != 0xff {
        if hasStrayBytes { strayBytes.append(start..<place - 1) }
        place += 1
        return bytes[place - 1]
      }
    }
    return nil
  }

  private mutating func note(_ marker: UInt8, _ content: UnsafeRawBufferPointer, at place: Int) {
    switch marker {
    case 0xda: scans += 1
    case 0xc4, 0xc8, 0xcc: break  // tables
    case 0xc0...0xcf where frame == nil && content.count >= 6:
      frame = Frame(
        marker: marker, precision: Int(content[0]), height: content.number(at: 1, count: 2)!,
        width: content.number(at: 3, count: 2)!, components: Int(content[5]))
    case 0xe0 where content.count >= 12 && content.starts(with: Array("JFIF\0".utf8)):
      if content[5] != 1 { unknownRevisions.append(place + 5) }
    case 0xe1 where orientation == nil && content.starts(with: Array("Exif\0\0".utf8)):
      orientation = Orientation(exif: content)
    default: break
    }
  }

  /// The place of the next marker that does not belong to coded data.
  private static func endOfScan(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    var place = start
    while place < bytes.count,
      let found = memchr(bytes.baseAddress! + place, 0xff, bytes.count - place)
    {
      place = UnsafeRawPointer(found) - bytes.baseAddress!
      let next = place + 1 < bytes.count ? bytes[place + 1] : 0
      if next == 0 || 0xd0...0xd7 ~= next {
        place += 2
      } else if next == 0xff {
        place += 1
      } else {
        return place
      }
    }
    return bytes.count
  }
}
