import LatheFiles
import Foundation
import SystemPackage
import TestSupport
import Testing

let samples = [
  NamedTensor(
    name: "encoder.conv0.weight", shape: [2, 2, 1, 3],
    values: [
      0.1, -0.0, .leastNonzeroMagnitude, .infinity, -3.5, 7, 8, 9, 10, 11, 12,
      .greatestFiniteMagnitude,
    ]),
  NamedTensor(name: "scalar", shape: [], values: [42]),
  NamedTensor(name: "empty", shape: [0, 5], values: []),
  NamedTensor(name: "name \"with\" \\ and é\u{1}", shape: [3], values: [1, 2, 3]),
]

@Suite struct SafetensorsTests {
  let scratch: Scratch
  var path: FilePath { scratch.path.appending("model.safetensors") }

  init() throws { scratch = try Scratch() }

  @Test func whatIsWrittenIsRead() throws {
    try save(samples, metadata: ["model": "vae"], to: path)
    let file = try Safetensors(reading: path)
    #expect(file.names == samples.map(\.name))
    #expect(file.metadata["model"] == "vae")
    #expect(file.metadata["format"] == "lathe-1")
    #expect(file.metadata["layout"] == "tensorflow")
    for sample in samples {
      #expect(try file.shape(of: sample.name) == sample.shape)
      #expect(try file.values(sample.name).map(\.bitPattern) == sample.values.map(\.bitPattern))
      var copied = [Float](repeating: 5, count: sample.values.count + 1)
      try file.copy(sample.name, expecting: sample.shape, to: &copied)
      #expect(copied.map(\.bitPattern) == (sample.values + [5]).map(\.bitPattern))
    }
    try file.verify()
  }

  @Test func aNotANumberKeepsItsBits() throws {
    let pattern: UInt32 = 0x7FC1_2345
    let odd = NamedTensor(name: "n", shape: [1], values: [Float(bitPattern: pattern)])
    try save([odd], to: path)
    #expect(try Safetensors(reading: path).values("n")[0].bitPattern == pattern)
  }

  /// The CRC-32 of the eight bytes is from Python's zlib, the rest is counted by hand.
  @Test func goldenBytes() throws {
    try save([NamedTensor(name: "a", shape: [2], values: [1, -2])], to: path)
    let header =
      #"{"__metadata__":{"crc32.a":"c3872656","format":"lathe-1","layout":"tensorflow"},"#
      + #""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
    let padding = String(repeating: " ", count: 51)
    let data: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]
    let expected: [UInt8] = [184, 0, 0, 0, 0, 0, 0, 0] + Array((header + padding).utf8) + data
    #expect(try bytes(of: path) == expected)
  }

  @Test func noTensorsAtAll() throws {
    try save([], metadata: ["a": "b"], to: path)
    let file = try Safetensors(reading: path)
    #expect(file.names.isEmpty)
    #expect(file.metadata["a"] == "b")
  }

  @Test func bytesDoNotDependOnTheOrderOfMetadata() throws {
    let pairs = (0..<50).map { ("key\($0)", "\($0)") }
    try save(samples, metadata: Dictionary(uniqueKeysWithValues: pairs), to: path)
    let first = try bytes(of: path)
    var other: [String: String] = [:]
    other.reserveCapacity(500)
    for (key, value) in pairs.reversed() { other[key] = value }
    try save(samples, metadata: other, to: path)
    #expect(try bytes(of: path) == first)
    #expect((first.count - samples.reduce(0) { $0 + 4 * $1.values.count }) % 64 == 0)
  }

  @Test func anotherShapeIsAMismatchWithBothShapes() throws {
    let weight = NamedTensor(name: "w", shape: [4, 1, 2], values: Array(repeating: 1, count: 8))
    try save([weight], to: path)
    let file = try Safetensors(reading: path)
    var room: [Float] = Array(repeating: -1, count: 8)
    let error = fileError { try file.copy("w", expecting: [4, 2, 1], to: &room) }
    #expect(error?.kind == .mismatch)
    #expect(error?.description == "w: expected [4, 2, 1], found [4, 1, 2] in \(path)")
    #expect(room == Array(repeating: -1, count: 8))
    let absent = fileError { _ = try file.values("v") }
    #expect(absent?.kind == .mismatch)
    #expect(absent?.description == "v: no such tensor in \(path)")
  }

  @Test func oneFlippedBitIsFoundByItsTensor() throws {
    try save(samples, to: path)
    var damaged = try bytes(of: path)
    damaged[damaged.count - 1] ^= 0x10
    try write(damaged, to: path)
    let file = try Safetensors(reading: path)
    let last = samples[3].name
    #expect(fileError { try file.verify() }?.tensor == last)
    #expect(fileError { _ = try file.values(last) }?.kind == .damaged)
    #expect(try file.values("scalar") == [42])
  }

  @Test func ourFileWithoutAChecksumIsDamaged() throws {
    try save([NamedTensor(name: "a", shape: [2], values: [1, -2])], to: path)
    let text = String(decoding: try bytes(of: path), as: Unicode.ASCII.self)
    let place = try #require(text.range(of: "crc32.a")).lowerBound
    var changed = try bytes(of: path)
    changed[text.distance(from: text.startIndex, to: place)] = UInt8(ascii: "d")
    try write(changed, to: path)
    let file = try Safetensors(reading: path)
    #expect(fileError { try file.verify() }?.kind == .damaged)
  }

  /// Also shows that the values in the mutation test would differ if nothing were checked.
  @Test func aForeignFileNeedsNoChecksums() throws {
    let header = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
    try write(raw(header: header, data: [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC1]), to: path)
    let file = try Safetensors(reading: path)
    try file.verify()
    #expect(try file.values("a") == [1, -8])
    #expect(file.metadata.isEmpty)
  }

  @Test func misalignedDoublesAndIntegersAreRounded() throws {
    let header =
      #"{"i":{"dtype":"I64","shape":[2],"data_offsets":[1,17]},"u":{"dtype":"U8","shape":[1],"#
      + #""data_offsets":[0,1]},"d":{"dtype":"F64","shape":[1],"data_offsets":[17,25]}}"#
    let integers: [Int64] = [-3, 1 << 40]
    let integerBytes = integers.withUnsafeBytes(Array.init)
    let doubleBytes = withUnsafeBytes(of: 0.1, Array.init)
    try write(raw(header: header, data: [7] + integerBytes + doubleBytes), to: path)
    let file = try Safetensors(reading: path)
    #expect(file.names == ["u", "i", "d"])
    #expect(try file.values("i") == [-3, 1_099_511_627_776])
    #expect(try file.values("d") == [0.1])
    let error = fileError { _ = try file.values("u") }
    #expect(
      error?.description
        == "u: type: expected one of F32, F64, F16, BF16, I64, found U8 in \(path). "
        + "Save the tensor as float32")
  }

  @Test func anAbsentFileIsMissing() {
    let error = fileError { _ = try Safetensors(reading: path) }
    #expect(error?.kind == .missing)
    #expect(error?.description == "cannot read \(path): No such file or directory")
    let folder = fileError { _ = try Safetensors(reading: scratch.path) }
    #expect(folder?.kind == .missing)
  }

  @Test func aFolderThatCannotBeWrittenTo() throws {
    try write([1], to: path)
    let below = path.appending("x.safetensors")
    let error = fileError { try save(samples, to: below) }
    #expect(error?.kind == .unwritable)
    #expect(error?.description == "cannot write \(below): Not a directory")
    let proc = fileError { try save(samples, to: "/proc/x.safetensors") }
    #expect(proc?.kind == .unwritable)
  }

  /// A thrown error would end these processes with success.
  @Test func wrongCallsTrap() async {
    await #expect(processExitsWith: .success) {
      try? save([NamedTensor(name: "a", shape: [2], values: [1, 2])], to: "/dev/null/a")
    }
    await #expect(processExitsWith: .failure) {
      try? save([NamedTensor(name: "a", shape: [3], values: [1, 2])], to: "/dev/null/a")
    }
    await #expect(processExitsWith: .failure) {
      let twice = NamedTensor(name: "a", shape: [1], values: [1])
      try? save([twice, twice], to: "/dev/null/a")
    }
  }
}

@Suite struct SafetensorsPythonTests {
  static let isInstalled = (try? python("import numpy, safetensors.numpy")) != nil
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test(.enabled(if: isInstalled, "python3 cannot import safetensors"))
  func pythonReadsWhatWeWrite() throws {
    let path = scratch.path.appending("ours.safetensors")
    try save(samples, metadata: ["model": "vae"], to: path)
    let program = """
      import json, sys, safetensors
      with safetensors.safe_open(sys.argv[1], "np") as f:
        t = {k: f.get_tensor(k) for k in f.keys()}
        print(json.dumps({"metadata": f.metadata(), "tensors": [
          {"name": k, "type": str(v.dtype), "shape": v.shape,
           "bits": v.view("uint32").ravel().tolist()}
          for k, v in t.items()]}))
      """
    let output = try #require(try python(program, [path.string]))
    let seen = try JSONDecoder().decode(Seen.self, from: Data(output.utf8))
    #expect(seen.metadata == (try Safetensors(reading: path).metadata))
    #expect(seen.tensors.count == samples.count)
    for sample in samples {
      let tensor = try #require(seen.tensors.first { $0.name == sample.name })
      #expect(tensor.type == "float32")
      #expect(tensor.shape == sample.shape)
      #expect(tensor.bits == sample.values.map(\.bitPattern))
    }
  }

  struct Seen: Decodable {
    struct Tensor: Decodable {
      let name, type: String
      let shape: [Int]
      let bits: [UInt32]
    }
    let metadata: [String: String]
    let tensors: [Tensor]
  }

  @Test(.enabled(if: isInstalled, "python3 cannot import safetensors"))
  func weReadWhatPythonWrites() throws {
    let path = scratch.path.appending("theirs.safetensors")
    let program = """
      import sys, numpy as np, safetensors.numpy as s
      s.save_file({"w": np.arange(6, dtype="f4").reshape(2, 3) / 8, "n": np.array(-7),
        "d": np.array([0.25, 1e10]), "half": np.array([1, -0.5, 6e-8], "f2"),
        "bytes": np.ones(3, "u1")}, sys.argv[1], {"é": "ü"})
      """
    _ = try #require(try python(program, [path.string]))
    let file = try Safetensors(reading: path)
    #expect(file.metadata == ["é": "ü"])
    #expect(Set(file.names) == ["w", "n", "d", "half", "bytes"])
    #expect(try file.shape(of: "w") == [2, 3])
    #expect(try file.values("w") == [0, 0.125, 0.25, 0.375, 0.5, 0.625])
    #expect(try file.values("n") == [-7])
    #expect(try file.values("d") == [0.25, 1e10])
    #expect(try file.values("half") == [1, -0.5, 0x1p-24])
    #expect(fileError { _ = try file.values("bytes") }?.found == "U8")
  }
}
