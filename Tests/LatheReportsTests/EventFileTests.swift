import Foundation
import LatheFiles
import LatheReports
import SystemPackage
import TestSupport
import Testing

/// Files for TensorBoard, byte by byte.
@Suite struct EventFileTests {
  /// RFC 3720, Appendix B.4.
  @Test func castagnoli() {
    #expect(castagnoliChecksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(castagnoliChecksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(castagnoliChecksum(Array(0..<32)) == 0x46dd_794e)
    #expect(castagnoliChecksum(Array("123456789".utf8)) == 0xe306_9283)
  }

  /// The data of each record; their lengths and sums hold.
  private func records(_ folder: FilePath) throws -> [[UInt8]] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.string)
    #expect(names.count == 1 && names[0].hasPrefix("events.out.tfevents."))
    var rest = try bytes(of: folder.appending(names[0]))[...]
    func unmasked(_ bytes: ArraySlice<UInt8>) -> UInt32 {
      let masked = bytes.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) } &- 0xa282_ead8
      return masked << 15 | masked >> 17
    }
    var records: [[UInt8]] = []
    while !rest.isEmpty {
      let length = Array(rest.prefix(8))
      let count = length.reversed().reduce(0) { $0 << 8 | Int($1) }
      #expect(unmasked(rest.dropFirst(8).prefix(4)) == castagnoliChecksum(length))
      let data = Array(rest.dropFirst(12).prefix(count))
      #expect(unmasked(rest.dropFirst(12 + count).prefix(4)) == castagnoliChecksum(data))
      records.append(data)
      rest = rest.dropFirst(16 + count)
    }
    return records
  }

  /// Version first; a scalar as `step` 7, `tag` "a/b", `simple_value` 0.5.
  @Test func scalars() throws {
    let scratch = try Scratch()
    let folder = scratch.path
    let file = try EventFile(folder: folder, resumingAt: 0)
    try file.add(step: 7, [("a/b", 0.5)])
    let records = try records(folder)
    #expect(records.count == 2)
    #expect(Array(records[0].dropFirst(9)) == [0x1a, 13] + Array("brain.Event:2".utf8))
    // Field 1 is the time, a double.
    #expect(records[0][0] == 0x09 && records[1][0] == 0x09)
    #expect(
      Array(records[1].dropFirst(9))
        == [0x10, 7, 0x2a, 12, 0x0a, 10, 0x0a, 3] + Array("a/b".utf8) + [0x15, 0, 0, 0, 0x3f])
  }

  /// A session that starts at the step after the last one kept.
  @Test func resumed() throws {
    let scratch = try Scratch()
    let folder = scratch.path
    _ = try EventFile(folder: folder, resumingAt: 300)
    let records = try records(folder)
    #expect(records.count == 2)
    #expect(Array(records[1].dropFirst(9)) == [0x10, 0xad, 0x02, 0x3a, 2, 0x08, 1])
  }

  /// As TensorBoard's plugin `hparams` reads them: the summary's tag, the plugin's name, and in its
  /// content numbers, truth values and words by name.
  @Test func hyperparameters() throws {
    let scratch = try Scratch()
    let file = try EventFile(folder: scratch.path, resumingAt: 0)
    try file.add(hyperparameters: [
      ("batch", .int(64)), ("flip", .bool(true)), ("model", .string("vae")), ("rate", .double(0.5)),
      ("widths", .array([.int(3), .int(4)])),
    ])
    let records = try records(scratch.path)
    #expect(records.count == 2)
    let value = Message(records[1])[5][1]
    #expect(value[1].text == "_hparams_/session_start_info")
    // DT_FLOAT, and a shape without dimensions.
    #expect(value[8].fields.map(\.number) == [1, 2] && value[8][1].bytes == [1])
    #expect(value[9][1][1].text == "hparams")
    let session = value[9][1][2][3]
    let found = session.fields.filter { $0.number == 1 }.map { Message($0.bytes) }
    #expect(found.map { $0[1].text } == ["batch", "flip", "model", "rate", "widths"])
    // google.protobuf.Value: number_value 2, string_value 3, bool_value 4.
    #expect(found.map { $0[2].fields[0].number } == [2, 4, 3, 2, 3])
    #expect([found[0], found[3]].map { $0[2][2].double } == [64, 0.5])
    #expect(found[1][2][4].bytes == [1])
    #expect([found[2], found[4]].map { $0[2][3].text } == ["vae", "[3, 4]"])
    let start = try #require(session.fields.last)
    #expect(
      start.number == 5 && abs(Message(start.bytes).double - Date().timeIntervalSince1970) < 600)
  }

  @Test func refusesWhatIsNoPicture() throws {
    let scratch = try Scratch()
    let folder = scratch.path
    let file = try EventFile(folder: folder, resumingAt: 0)
    let path = folder.appending("x.png")
    try FileSystem.replace(path, with: "GIF89a")
    #expect(throws: FileError.self) { try file.add(step: 1, image: "x", png: path) }
  }
}

/// A message of protocol buffers as it is read: its fields in their order.
private struct Message {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Varints, and what is fixed or has a length, as their bytes.
  var fields: [(number: Int, bytes: [UInt8])] {
    var (rest, found) = (bytes[...], [(number: Int, bytes: [UInt8])]())
    func varint() -> Int {
      let end = rest.firstIndex { $0 < 128 }!
      defer { rest = rest[(end + 1)...] }
      return rest[...end].reversed().reduce(0) { $0 << 7 | Int($1 & 127) }
    }
    while !rest.isEmpty {
      let tag = varint()
      guard tag & 7 > 0 else {
        found.append((tag >> 3, [UInt8(varint())]))
        continue
      }
      let count = tag & 7 == 1 ? 8 : tag & 7 == 5 ? 4 : varint()
      found.append((tag >> 3, Array(rest.prefix(count))))
      rest = rest.dropFirst(count)
    }
    return found
  }

  /// The first field of that number.
  subscript(number: Int) -> Message {
    Message(fields.first { $0.number == number }?.bytes ?? [])
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }
  var double: Double {
    bytes.count == 8 ? bytes.withUnsafeBytes { $0.loadUnaligned(as: Double.self) } : .nan
  }
}
