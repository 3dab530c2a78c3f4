import LatheFiles
import SystemPackage
import TestSupport
import Testing

/// Files of other programs, and files that are taken for safetensors.
@Suite struct SafetensorsKindsTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func file(_ bytes: [UInt8], _ name: String = "a.safetensors") throws -> FilePath {
    let path = scratch.path.appending(name)
    try write(bytes, to: path)
    return path
  }

  private static func tensor(_ type: String, _ shape: String, _ offsets: String) -> String {
    #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  /// 1, −2, the largest, the smallest normal and the smallest subnormal number, −0, ∞ and NaN: the
  /// values of IEEE 754-2008, Table 3.5, and those of float32's upper half.
  @Test func halvesAreWidened() throws {
    let halves: [UInt16] = [0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000, 0x7c00, 0x7e01]
    let brains: [UInt16] = [0x3f80, 0xc000, 0x7f7f, 0x0080, 0x0001, 0x8000, 0x7f80, 0x7fc1]
    let data = (halves + brains).flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
    let header =
      #"{"h":\#(Self.tensor("F16", "[8]", "[0,16]")),"#
      + #""b":\#(Self.tensor("BF16", "[8]", "[16,32]"))}"#
    let weights = try Safetensors(reading: file(raw(header: header, data: data)))
    let half = try weights.values("h")
    #expect(half.prefix(5) == [1, -2, 65504, 0x1p-14, 0x1p-24])
    #expect(half[5].bitPattern == 0x8000_0000 && half[6] == .infinity && half[7].isNaN)
    let brain = try weights.values("b")
    #expect(brain.prefix(5) == [1, -2, 0x1.fep127, 0x1p-126, 0x1p-133])
    #expect(brain[5].bitPattern == 0x8000_0000 && brain[6] == .infinity && brain[7].isNaN)
    #expect(weights.convertedTypes(of: ["h", "b", "none"]) == ["BF16", "F16"])
    #expect(weights.convertedTypes(of: []).isEmpty)
  }

  /// Types that are not known here, some of less than a byte, beside one that is.
  @Test(arguments: ["F4", "F8_E8M0", "C64", "F6_E2M3", "I4", "SOMETHING_NEW"])
  func aTensorNobodyAsksForStopsNobody(type: String) throws {
    let header =
      #"{"q":\#(Self.tensor(type, "[2,8]", "[0,3]")),"w":\#(Self.tensor("F32", "[1]", "[3,7]"))}"#
    let path = try file(raw(header: header, data: [1, 2, 3, 0, 0, 0x80, 0x3f]))
    let weights = try Safetensors(reading: path)
    #expect(try weights.values("w") == [1])
    try weights.verify()
    let error = fileError { _ = try weights.values("q") }
    #expect(error?.kind == .mismatch && error?.found == type)
    #expect(error?.expected == "one of F32, F64, F16, BF16, I64")
  }

  @Test func twoNormalFormsAreTwoNames() throws {
    let (composed, decomposed) = ("\u{e9}", "e\u{301}")
    let header =
      #"{"\#(composed)":\#(Self.tensor("F32", "[1]", "[0,4]")),"#
      + #""\#(decomposed)":\#(Self.tensor("F32", "[1]", "[4,8]"))}"#
    let path = try file(raw(header: header, data: [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]))
    let weights = try Safetensors(reading: path)
    #expect(try weights.values(composed) == [1] && weights.values(decomposed) == [2])
    #expect(weights.names.map { Array($0.utf8) } == [composed, decomposed].map { Array($0.utf8) })
  }

  @Test func aByteOrderMarkIsNamed() throws {
    let header = [0xef, 0xbb, 0xbf] + Array(#"{"w":\#(Self.tensor("F32", "[0]", "[0,0]"))}"#.utf8)
    let path = try file(raw(header: header, data: []))
    let error = fileError { _ = try Safetensors(reading: path) }
    #expect(error?.what == "header: expected an object, found a byte order mark")
  }

  /// A file's name, how it begins, and what it is.
  struct Taken: Sendable {
    let name: String
    let bytes: [UInt8]
    let kind: String

    init(_ name: String, _ bytes: [UInt8], _ kind: String) {
      (self.name, self.bytes, self.kind) = (name, bytes, kind)
    }

    init(_ name: String, _ text: String, _ kind: String) {
      self.init(name, Array(text.utf8), kind)
    }
  }

  static let taken: [Taken] = [
    Taken("a.pth", "PK\u{3}\u{4}________________________archive/data.pkl", "a PyTorch file"),
    Taken("a.pt", [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20], "a pickle, as older"),
    Taken("a.npz", "PK\u{3}\u{4}________________________mu.npy", "NumPy arrays (.npz)"),
    Taken("a.keras", "PK\u{3}\u{4}______________________config.json", "a Keras model"),
    Taken("a.h5", [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a], "an HDF5 file"),
    Taken("a.safetensors", "version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer"),
    Taken(
      "model.safetensors.index.json", #"{"metadata": {}, "weight_map": {}}"#, "an index of"),
    Taken("config.json", #"{"architectures": []}"#, "JSON"),
    Taken("a.onnx", [8, 8, 18, 7, 112, 121, 116, 111, 114, 99, 104, 26], "an ONNX model"),
    Taken(
      "classify_image_graph_def.pb", [10, 68, 10, 22, 68, 101, 99, 111, 100], "a TensorFlow graph"),
    Taken("a.tflite", [28, 0, 0, 0, 84, 70, 76, 51, 20], "a TensorFlow Lite model"),
    Taken("a.gguf", "GGUF\u{3}\0\0\0", "a GGUF file"),
    Taken("a.mat", "MATLAB 5.0 MAT-file", "a MAT-file"),
    Taken("a.html", "<!DOCTYPE html><html><title>Not found</title>", "an HTML page"),
    Taken("a.safetensors", [], "an empty file"),
  ]

  @Test(arguments: taken.indices) func whatIsNoSafetensorsIsNamed(index: Int) throws {
    let (name, bytes, kind) = (
      Self.taken[index].name, Self.taken[index].bytes, Self.taken[index].kind
    )
    let path = try file(bytes, name)
    let error = fileError { _ = try Safetensors(reading: path) }
    #expect(error?.kind == .damaged)
    #expect(error?.found?.hasPrefix(kind) == true, "\(String(describing: error))")
  }
}

/// Small or middling files that would take much time or memory if they were believed.
@Suite struct SafetensorsBombTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Headers of almost 8 MiB, each made of one thing repeated; each is read or refused in seconds.
  @Test(arguments: [
    ("[", "0,", "0]"), ("[", "[0],", "0]"), ("{", "", "}"), ("[", #"{"":0},"#, "0]"),
    (#"""#, #"\n"#, #"""#), (#"""#, "a", #"""#), ("", "9", ""), ("[", "1e9,", "0]"),
    ("[", "[],", "0]"), ("[", #""ab","#, "0]"),
  ])
  func longHeadersAreBounded(start: String, piece: String, end: String) throws {
    let count = piece.isEmpty ? 0 : 8_000_000 / piece.utf8.count
    let header =
      Array(#"{"a":\#(start)"#.utf8)
      + repeatElement(Array(piece.utf8), count: count).joined() + Array("\(end)}".utf8)
    let error = try refusal(header)
    #expect(error?.kind == .damaged)
    #expect(error.map { "\($0)".utf8.count < 1000 } == true)
  }

  /// A hundred thousand tensors are read; a million take more than 8 MiB of header.
  @Test func manyNames() throws {
    func header(_ count: Int) -> [UInt8] {
      var text = Array("{".utf8)
      for index in 0..<count {
        text += #""t\#(index)":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"#.utf8
      }
      return text.dropLast() + Array("}".utf8)
    }
    let path = scratch.path.appending("many.safetensors")
    try write(raw(header: header(100_000), data: []), to: path)
    #expect(try Safetensors(reading: path).names.count == 100_000)
    #expect(try refusal(header(1_000_000))?.what == "header length")
  }

  private func refusal(_ header: [UInt8]) throws -> FileError? {
    let path = scratch.path.appending("bomb.safetensors")
    try write(raw(header: header, data: []), to: path)
    let start = ContinuousClock.now
    defer { #expect(ContinuousClock.now - start < .seconds(20)) }
    return fileError { _ = try Safetensors(reading: path) }
  }
}
