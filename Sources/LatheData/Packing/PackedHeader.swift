import LatheFiles
import LatheNN
import Foundation

/// What a packed file says of itself, as JSON at its start.
///
/// A packed file is: `LATHEIMG`; version, bytes of the header, CRC-32 of the header, offset of the
/// records, four little-endian bytes each; the header; zeros up to the next multiple of 4,096; the
/// records, uint8 `[count, height, width, channels]`; the sections one after the other; CRC-32 of
/// all sections.
struct PackedHeader: Codable, Equatable, Sendable {
  static let magic = Array("LATHEIMG".utf8)
  static let version: UInt32 = 1
  static let prefixSize = 24
  static let pageSize = 4096

  struct Part: Codable, Equatable {
    let split: Split
    let count: Int
  }
  struct SectionSize: Codable, Equatable {
    let name: Section
    let bytes: Int
  }
  /// What follows the records.
  enum Section: String, Codable, CaseIterable {
    /// Class of each image, a byte; absent without classes.
    case labels
    /// A bit for each attribute from the lowest, each image's bits filled up to whole bytes.
    case attributes
    /// Person of each image, four little-endian bytes; absent when not known.
    case identities
    /// The bytes of the name of each picture file, each followed by a line feed; a line feed that
    /// belongs to a name stands there as zero.
    case names
    /// CRC-32 of each picture file, four little-endian bytes.
    case sourceChecksums = "source checksums"
    /// CRC-32 of each record, four little-endian bytes.
    case checksums
  }

  var dataset: String
  var shape: ImageShape
  /// Records of each split, in this order.
  var splits: [Part]
  var preparation: Preparation
  var attributeNames: [String]
  var classNames: [String]
  /// CRC-32 of the names and content of all picture files and of their lists.
  var sourceDigest: String
  /// SHA-256 of the names and content of all picture files, also those left out, and of their
  /// lists; nil in files of earlier versions.
  var contentDigest: String?
  /// Names of pictures that were left out because they are damaged.
  var skipped: [String]
  var sections: [SectionSize]

  var count: Int { splits.reduce(0) { $0 + $1.count } }

  /// The file's bytes before the records.
  func encoded() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(self) else { trap("PackedHeader: no JSON") }
    var checksum = Checksum()
    checksum.update(Array(json))
    let start = Self.recordStart(headerSize: json.count)
    let numbers = [Self.version, UInt32(json.count), checksum.value, UInt32(start)]
    let head = Self.magic + numbers.flatMap(\.littleEndianBytes) + Array(json)
    return head + [UInt8](repeating: 0, count: start - head.count)
  }

  static func recordStart(headerSize: Int) -> Int {
    (prefixSize + headerSize + pageSize - 1) / pageSize * pageSize
  }
}
