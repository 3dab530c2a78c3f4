import LatheFiles
import SystemPackage
import TestSupport
import Testing

@Suite struct SafetensorsHostileTests {
  let scratch: Scratch
  var path: FilePath { scratch.path.appending("hostile.safetensors") }

  init() throws { scratch = try Scratch() }

  /// The error of opening a file of these bytes.
  private func refusal(_ bytes: [UInt8]) throws -> FileError? {
    try write(bytes, to: path)
    return fileError { _ = try Safetensors(reading: path) }
  }

  private static func tensor(_ shape: String, _ offsets: String, type: String = "F32") -> String {
    #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  @Test func theHelpersMakeAFileThatOpens() throws {
    let header = #"{"a":\#(Self.tensor("[2]", "[0,8]"))}   "#
    #expect(try refusal(raw(header: header, data: Array(repeating: 0, count: 8))) == nil)
  }

  /// Each header heads eight bytes of data.
  @Test(arguments: [
    (#"{"a":\#(tensor("[2]", "[0,12]"))}"#, "data_offsets"),
    (#"{"a":\#(tensor("[2]", "[8,0]"))}"#, "data_offsets"),
    (#"{"a":\#(tensor("[2]", "[0]"))}"#, "data_offsets"),
    (#"{"a":\#(tensor("[2]", "[-8,0]"))}"#, "data_offsets"),
    (#"{"a":\#(tensor("[2]", "[0,8.5]"))}"#, "data_offsets"),
    (#"{"a":\#(tensor("[2]", "[0,18446744073709551616]"))}"#, "data_offsets"),
    (#"{"a":\#(tensor("[2]", "[9223372036854775807,9223372036854775807]"))}"#, "data_offsets"),
    (#"{"a":\#(tensor("[3]", "[0,8]"))}"#, "bytes of F32 [3]"),
    (#"{"a":\#(tensor("[4611686018427387904,4]", "[0,8]"))}"#, "bytes of F32"),
    (#"{"a":\#(tensor("[-1,-2]", "[0,8]"))}"#, "shape"),
    (#"{"a":\#(tensor("2", "[0,8]"))}"#, "shape"),
    (#"{"a":\#(tensor("[2]", "[0,8]", type: ""))}"#, "dtype"),
    (#"{"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}}"#, "dtype"),
    (#"{"a":{"dtype":"F32","shape":[2]}}"#, "data_offsets"),
    (#"{"a":\#(tensor("[1]", "[0,4]"))}"#, "file size"),
    (#"{"a":\#(tensor("[1]", "[4,8]"))}"#, "first byte"),
    (#"{"a":\#(tensor("[2]", "[0,8]")),"b":\#(tensor("[1]", "[4,8]"))}"#, "first byte"),
    (#"{"a":\#(tensor("[1]", "[0,4]")),"a":\#(tensor("[1]", "[4,8]"))}"#, "two members \"a\""),
    (#"{"__metadata__":{"k":1},"a":\#(tensor("[2]", "[0,8]"))}"#, "metadata k"),
    (#"{"__metadata__":[],"a":\#(tensor("[2]", "[0,8]"))}"#, "metadata"),
    (#"{"a":[]}"#, "dtype"),
    ("[]", "expected an object"),
    ("", "expected an object"),
    (#"{"a":\#(tensor("[2]", "[0,8]"))}x"#, "unexpected bytes"),
    (#"{"a":\#(tensor("[2]", "[0,8]"))"#, "expected '}'"),
    (#"{"a":1e999}"#, "number out of range"),
    (#"{"a":"\ud800"}"#, "lone surrogate"),
    (#"{"a":"\ud800\u0041"}"#, "lone surrogate"),
    (#"{"a":"\q"}"#, "unknown escape"),
    (#"{"a":"\u12g4"}"#, "hexadecimal"),
    ("{\"a\":\"\n\"}", "control character"),
    ("{\"a", "string without end"),
    ("{\"a\":nul", "expected null"),
    ("{\"a\":01}", "expected '}'"),
    ("{\"a\":-}", "expected a value"),
  ])
  func aBrokenHeaderIsDamagedAndSaysWhy(header: String, why: String) throws {
    let error = try refusal(raw(header: header, data: Array(repeating: 0, count: 8)))
    #expect(error?.kind == .damaged)
    #expect(error?.what?.contains(why) == true, "\(String(describing: error))")
  }

  @Test func lengthsBeyondTheFile() throws {
    for length in [1, 100_000_001, UInt64(Int.max), UInt64.max, UInt64.max - 7] {
      let error = try refusal(withUnsafeBytes(of: length.littleEndian, Array.init))
      #expect(error?.kind == .damaged)
      #expect(error?.found == "\(length)")
    }
    for count in 1..<8 {
      #expect(try refusal(Array(repeating: 1, count: count))?.what == "file size")
    }
  }

  @Test func bytesThatAreNotUTF8() throws {
    let header = Array(#"{"a":""#.utf8) + [0xC0, 0x80] + Array(#""}"#.utf8)
    let error = try refusal(raw(header: header, data: []))
    #expect(error?.what == "header: not UTF-8")
    #expect(error?.offset == 14)
  }

  @Test(arguments: ["[", "{\"a\":"]) func aMillionLevelsDoNotEndTheProcess(level: String) throws {
    let header = #"{"a":"# + String(repeating: level, count: 1_000_000)
    #expect(try refusal(raw(header: header, data: []))?.what == "header: more than 32 levels")
  }

  @Test func escapedNames() throws {
    let header = #"{"\u00e9\ud83d\ude00\n\/":\#(Self.tensor("[]", "[0,4]"))}"#
    try write(raw(header: header, data: [0, 0, 0x80, 0x3F]), to: path)
    #expect(try Safetensors(reading: path).values("é😀\n/") == [1])
  }
}

@Suite struct SafetensorsMutationTests {
  /// Whatever happens to a file, it is refused or gives the values that were written.
  @Test func twoThousandMutations() throws {
    let scratch = try Scratch()
    let path = scratch.path.appending("mutated.safetensors")
    try save(samples, to: path)
    let original = try bytes(of: path)
    var random = Mutator(seed: 1)
    var refused = 0
    var differing = 0
    for _ in 0..<2000 {
      try write(random.mutated(original), to: path)
      switch outcome(of: path) {
      case .refused: refused += 1
      case .differs: differing += 1
      case .same: break
      }
    }
    #expect(differing == 0)
    #expect(refused > 1000)
    #expect(refused < 2000, "some mutations only touch padding or metadata")
  }

  @Test func otherValuesWouldBeNoticed() throws {
    let scratch = try Scratch()
    let path = scratch.path.appending("other.safetensors")
    var others = samples
    others[1] = NamedTensor(name: "scalar", shape: [], values: [43])
    try save(others, to: path)
    #expect(outcome(of: path) == .differs)
    try save(samples, to: path)
    #expect(outcome(of: path) == .same)
  }

  enum Outcome { case refused, same, differs }

  private func outcome(of path: FilePath) -> Outcome {
    do {
      let file = try Safetensors(reading: path)
      for name in file.names { _ = try? file.values(name) }
      for sample in samples {
        var values = [Float](repeating: 0, count: sample.values.count + 1)
        try file.copy(sample.name, expecting: sample.shape, to: &values)
        if values.dropLast().map(\.bitPattern) != sample.values.map(\.bitPattern) {
          return .differs
        }
      }
      return .same
    } catch {
      return .refused
    }
  }
}

/// Changes files as disks, networks and adversaries do.
struct Mutator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// Knuth's linear congruential generator; its upper bits.
  private mutating func below(_ count: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % max(count, 1)
  }

  mutating func mutated(_ original: [UInt8]) -> [UInt8] {
    var bytes = original
    for _ in 0...below(3) { mutate(&bytes) }
    return bytes
  }

  private mutating func mutate(_ bytes: inout [UInt8]) {
    let place = below(bytes.count)
    switch below(8) {
    case 0: bytes[place] ^= 1 << below(8)
    case 1: bytes[place] = UInt8(below(256))
    case 2: bytes.removeLast(below(bytes.count))
    case 3: bytes += (0..<below(70)).map { UInt8($0) }
    case 4: bytes[below(min(8, bytes.count))] = UInt8(below(256))
    case 5: bytes.removeSubrange(place..<min(place + below(40), bytes.count))
    case 6: insertToken(&bytes, place)
    default: changeDigit(&bytes)
    }
    if bytes.isEmpty { bytes = [0] }
  }

  private mutating func insertToken(_ bytes: inout [UInt8], _ place: Int) {
    let tokens = [
      "18446744073709551615", "9223372036854775807", "-1", "[[[[", "{", "}", "\"", ",", "1e308",
      "\\u", "__metadata__", "null", "\"shape\":[0]",
    ]
    let token = Array(tokens[below(tokens.count)].utf8)
    bytes.replaceSubrange(place..<min(place + below(2) * token.count, bytes.count), with: token)
  }

  private mutating func changeDigit(_ bytes: inout [UInt8]) {
    let digits = bytes.indices.filter { (0x30...0x39).contains(bytes[$0]) }
    if !digits.isEmpty { bytes[digits[below(digits.count)]] = UInt8(0x30 + below(10)) }
  }
}
