import Foundation
import LatheFiles
import SystemPackage
import TestSupport
import Testing

/// Mutated files of each format: `LATHE_FUZZ` of them, 300 unless set. Whatever the bytes, there is
/// an error of damage or content that agrees with itself, soon.
@Suite struct FormatFuzzTests {
  let scratch: Scratch
  private let trials = ProcessInfo.processInfo.environment["LATHE_FUZZ"].flatMap { Int($0) } ?? 300

  init() throws { scratch = try Scratch() }

  /// Gives mutants of `originals` to `read`; some must be refused, and each be done in 5 seconds.
  private func fuzz(
    _ name: String, _ originals: [[UInt8]], seed: UInt64, _ read: ([UInt8]) throws -> Void
  ) throws {
    var random = Mutator(seed: seed)
    var refused = 0
    for trial in 0..<trials {
      let bytes = random.mutated(originals[trial % originals.count])
      let start = ContinuousClock.now
      do { try read(bytes) } catch {
        #expect(error is FileError || error is JSONError, "\(name), trial \(trial): \(error)")
        #expect("\(error)".utf8.count < 2000, "\(name), trial \(trial)")
        refused += 1
      }
      #expect(ContinuousClock.now - start < .seconds(5), "\(name), trial \(trial)")
    }
    print("fuzz \(name): \(trials) mutants, \(refused) refused")
    #expect(refused >= trials / 5, "the mutations hardly damage anything")
  }

  private func npy(_ text: String, version: UInt8 = 1, _ data: [UInt8]) -> [UInt8] {
    let length = UInt8(text.utf8.count)
    return [0x93] + Array("NUMPY".utf8)
      + (version == 1 ? [1, 0, length, 0] : [version, 0, length, 0, 0, 0]) + Array(text.utf8) + data
  }

  @Test func numPyHeaders() throws {
    let zeros = [UInt8](repeating: 0, count: 48)
    let originals = [
      npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n", zeros),
      npy("{'descr': '>f4', 'fortran_order': True, 'shape': (3L, 4L), }\n", version: 2, zeros),
      npy("{\"shape\": (6,), \"fortran_order\": False, \"descr\": \"<f8\"}", version: 3, zeros),
    ]
    try fuzz("npy", originals, seed: 31) { bytes in
      let array = try NumPyArray(bytes, path: "mutant")
      #expect(array.values.count == array.shape.reduce(1, *))
    }
  }

  @Test func numPyArchives() throws {
    let path = scratch.path.appending("a.npz")
    try NumPyArchive.write(
      [
        ("mu", NumPyArray([1, 2], shape: [2])),
        ("sigma", NumPyArray([1, 0, 0, 1], shape: [2, 2])),
      ], to: path)
    try fuzz("npz", [try bytes(of: path)], seed: 32) { bytes in
      try write(bytes, to: path)
      let archive = try NumPyArchive(path)
      #expect(try archive.array("mu").values == [1, 2])
      #expect(try archive.array("sigma").values == [1, 0, 0, 1])
    }
  }

  /// Headers that nothing protects by a checksum, with types that are not known here.
  @Test func safetensorsHeaders() throws {
    let path = scratch.path.appending("a.safetensors")
    let header =
      #"{"__metadata__":{"a":"b"},"w":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"#
      + #""x":{"dtype":"BF16","shape":[4],"data_offsets":[8,16]},"#
      + #""é":{"dtype":"F4","shape":[2,8],"data_offsets":[16,24]},"#
      + #""y":{"dtype":"F64","shape":[],"data_offsets":[24,32]}}"#
    let original = raw(header: header, data: [UInt8](repeating: 60, count: 32))
    try fuzz("safetensors", [original], seed: 33) { bytes in
      try write(bytes, to: path)
      let file = try Safetensors(reading: path)
      for name in file.names {
        let shape = try file.shape(of: name)
        if let values = try? file.values(name) { #expect(values.count == shape.reduce(1, *)) }
      }
    }
  }

  @Test func json() throws {
    let originals = [
      #"{"a":[1,-2.5e3,true,false,null,"\u00e9\ud83d\ude00\n"],"b":{"c":{"d":[[],{}]}}}"#,
      #"[0, 1e-9, 9223372036854775807, 9223372036854775808, "text", {"a": 1, "b": 2}]"#,
    ].map { Array($0.utf8) }
    try fuzz("JSON", originals, seed: 34) { bytes in
      let value = try JSONReader.value(of: bytes)
      #expect(try JSONReader.value(of: Array(canonicalJSON(value))) == value)
    }
  }
}
