/// What files that are named like pictures often are instead.
enum PictureKind {
  /// The kind of a file that is neither JPEG nor PNG, by its first bytes; those bytes themselves if
  /// no kind begins so.
  static func name(of bytes: UnsafeRawBufferPointer) -> String {
    if bytes.isEmpty { return "an empty file" }
    if let kind = signatures.first(where: { $0.begins(bytes) }) { return kind.name }
    if let container = container(bytes) { return container }
    if let text = text(bytes) { return text }
    let head = bytes.prefix(16)
    if head.allSatisfy({ $0 == 0 }) { return "zero bytes, as an unfinished copy leaves them" }
    return head.prefix(4).map { String($0, radix: 16) }.joined(separator: " ")
  }

  private struct Signature {
    let name: String
    let parts: [(offset: Int, bytes: [UInt8])]

    init(_ name: String, _ bytes: [UInt8], _ further: (offset: Int, bytes: [UInt8])...) {
      self.name = name
      parts = [(0, bytes)] + further
    }

    init(_ name: String, _ text: String, _ further: (offset: Int, bytes: [UInt8])...) {
      self.name = name
      parts = [(0, Array(text.utf8))] + further
    }

    func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
      parts.allSatisfy { part in
        bytes.part(at: part.offset, count: part.bytes.count)?.elementsEqual(part.bytes) == true
      }
    }
  }

  private static let signatures = [
    Signature("a WebP picture", "RIFF", (8, Array("WEBP".utf8))),
    Signature("a GIF picture", "GIF8"),
    Signature("a BMP picture", "BM", (6, [0, 0, 0, 0])),
    Signature("a TIFF picture", "II*\0"), Signature("a TIFF picture", "MM\0*"),
    Signature("a TIFF picture", "II+\0"), Signature("a TIFF picture", "MM\0+"),
    Signature("a JPEG 2000 picture", [0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20]),
    Signature("a JPEG 2000 picture", [0xff, 0x4f, 0xff, 0x51]),
    Signature("a JPEG XL picture", [0, 0, 0, 12, 0x4a, 0x58, 0x4c, 0x20]),
    Signature("a JPEG XL picture", [0xff, 0x0a]),
    Signature("a Photoshop picture", "8BPS"), Signature("a QOI picture", "qoif"),
    Signature("a DDS picture", "DDS "), Signature("an OpenEXR picture", [0x76, 0x2f, 0x31, 0x01]),
    Signature("an icon", [0, 0, 1, 0]),
    Signature("a Netpbm picture", "P4\n"), Signature("a Netpbm picture", "P5\n"),
    Signature("a Netpbm picture", "P6\n"),
    Signature("a macOS resource fork (._ file)", [0, 5, 0x16, 7]),
    Signature("a PDF document", "%PDF"), Signature("a zip archive", "PK\u{3}\u{4}"),
    Signature("gzip-compressed data", [0x1f, 0x8b]),
    Signature("a NumPy array", [0x93] + Array("NUMPY".utf8)),
  ]

  /// Files of ISO boxes, told by their brand.
  private static func container(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard bytes.part(at: 4, count: 4)?.elementsEqual(Array("ftyp".utf8)) == true,
      let brand = bytes.part(at: 8, count: 4).map({ String(decoding: $0, as: UTF8.self) })
    else { return nil }
    switch brand {
    case "avif", "avis": return "an AVIF picture"
    case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1": return "a HEIC picture"
    default: return "a video or another MP4 file"
    }
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
    let head = String(decoding: bytes.prefix(512), as: UTF8.self).drop {
      $0.isWhitespace || $0 == "\u{feff}"
    }.lowercased()
    if head.hasPrefix("version https://git-lfs") {
      return "a Git LFS pointer: git lfs pull fetches the file it stands for"
    }
    if head.hasPrefix("<!doctype html") || head.hasPrefix("<html") || head.hasPrefix("<head") {
      return "an HTML page, as a failed download leaves it"
    }
    if head.contains("<svg") { return "an SVG picture" }
    if head.hasPrefix("<?xml") { return "an XML document" }
    let isText = head.unicodeScalars.allSatisfy {
      ($0.value >= 32 && $0.value != 127 && $0 != "\u{fffd}")
        || "\t\r\n".unicodeScalars.contains($0)
    }
    return isText ? "text" : nil
  }
}
