import LatheData
import LatheFiles
import LatheNN
import LatheTraining
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite struct RunStateTests {
  let scratch: Scratch
  var folder: FilePath { scratch.path }

  let hyperparameters: JSONValue = .object([
    "latentSize": .int(16), "learningRate": .double(2e-4), "epsilon": .double(1e-300),
    "name": .string("ü/\"x\""), "flags": .array([.bool(true), .null, .double(1)]),
  ])

  init() throws { scratch = try Scratch() }

  private func state(step: Int = 1234) -> RunState {
    var run = RunConfiguration()
    run.model.name = "flexae"
    run.model.configuration = hyperparameters
    run.data.dataset = "cifar10"
    run.data.flip = true
    run.batch.size = 256
    run.batch.slices = 8
    run.optimization.seed = UInt64(Int64.max)
    run.output.logEvery = 3
    return RunState(step: step, run: run, writtenBy: "lathe 1.0.0")
  }

  private func writeAll(_ state: RunState) throws {
    for (index, name) in RunState.digestedFiles.enumerated() {
      let tensor = NamedTensor(name: "t", shape: [2], values: [1, Float(index)])
      try save([tensor], to: folder.appending(name))
    }
    try state.write(into: folder)
  }

  @Test func whatIsWrittenIsRead() throws {
    try writeAll(state())
    let read = try RunState(reading: folder)
    #expect(read.step == 1234)
    #expect(read.run.model.name == "flexae")
    #expect(read.run.model.configuration == hyperparameters)
    #expect(read.run.data.dataset == "cifar10" && read.run.data.flip)
    #expect(read.run.batch.size == 256 && read.run.slices == 8)
    #expect(read.run.optimization.seed == UInt64(Int64.max))
    #expect(read.run.output.logEvery == 10, "decides nothing, is not recorded")
    #expect(read.writtenBy == "lathe 1.0.0")
    #expect(Set(read.digests.keys) == Set(RunState.digestedFiles))
  }

  /// A set is told by its images, not by its name or place; former checkpoints do not say which.
  @Test func theImagesThatARunIsTrainedOnAreTold() throws {
    let shape = ImageShape(height: 1, width: 2, channels: 1)
    let own = RunState.Images(ImageSet(images: [1, 2, 3, 4], shape: shape))
    #expect(own == RunState.Images(ImageSet(images: [1, 2, 3, 4], shape: shape)))
    var known = state()
    known.images = own
    try writeAll(known)
    let read = try RunState(reading: folder)
    #expect(read.images == own)
    try read.requireSame(own, at: folder)
    for other: [UInt8] in [[1, 2, 3, 5], [1, 2]] {
      let others = RunState.Images(ImageSet(images: other, shape: shape))
      #expect(throws: TrainingError.self) { try read.requireSame(others, at: folder) }
      try state().requireSame(others, at: folder)
    }
  }

  @Test func bytesDependOnTheStateOnly() throws {
    try writeAll(state())
    let first = try bytes(of: folder.appending(RunState.fileName))
    try RunState(reading: folder).write(into: folder)
    #expect(try bytes(of: folder.appending(RunState.fileName)) == first)
    try state(step: 1235).write(into: folder)
    #expect(try bytes(of: folder.appending(RunState.fileName)) != first)
  }

  /// "123456789" has the CRC-32 cbf43926: the check value that every description of it gives.
  @Test func digestsAreThatOfTheWholeFile() throws {
    try write(Array("123456789".utf8), to: folder.appending("nine"))
    try write([], to: folder.appending("none"))
    try state().write(into: folder, digesting: ["nine", "none"])
    #expect(try RunState(reading: folder).digests == ["nine": "cbf43926", "none": "00000000"])
  }

  @Test(arguments: RunState.digestedFiles) func theFileThatDiffersIsNamed(name: String) throws {
    try writeAll(state())
    let path = folder.appending(name)
    var content = try bytes(of: path)
    content[content.count - 1] ^= 1
    try write(content, to: path)
    let error = fileError { _ = try RunState(reading: folder) }
    #expect(error?.kind == .damaged)
    #expect(error?.path == path)
    #expect(error?.expected != error?.found)
    try FileManager.default.removeItem(atPath: path.string)
    let absent = fileError { _ = try RunState(reading: folder) }
    #expect(absent?.kind == .missing)
    #expect(absent?.path == path)
  }

  @Test func everyChangedByteOfTheStateIsFound() throws {
    try writeAll(state())
    let path = folder.appending(RunState.fileName)
    let original = try bytes(of: path)
    for index in original.indices {
      var changed = original
      changed[index] ^= 0x01
      try write(changed, to: path)
      let error = fileError { _ = try RunState(reading: folder) }
      #expect(error?.kind == .damaged || error?.kind == .mismatch, "byte \(index)")
    }
    for count in [0, 1, original.count / 2, original.count - 2] {
      try write(Array(original.prefix(count)), to: path)
      #expect(fileError { _ = try RunState(reading: folder) }?.kind == .damaged)
    }
    try write(original, to: path)
    #expect(try RunState(reading: folder).step == 1234)
  }

  @Test func anotherVersionIsAMismatch() throws {
    try write(Array(#"{"version": 3, "news": []}"#.utf8), to: folder.appending(RunState.fileName))
    let error = fileError { _ = try RunState(reading: folder) }
    #expect(error?.kind == .mismatch)
    #expect(error?.expected == "at most 2")
    #expect(error?.found == "3")
  }

  /// Version 1 as it was written by lathe 0.1.0 at first.
  @Test func theFirstVersionIsRead() throws {
    let text = #"""
      {
        "batch" : 96,
        "configuration" : {
          "batchStatistics" : "global",
          "best" : { "score" : "generation/fid", "value" : 12.5 },
          "images" : { "crop" : null, "filter" : "lanczos", "flip" : true, "size" : 32 },
          "model" : { "latentSize" : 16 },
          "precision" : "bfloat16",
          "replacement" : true,
          "sampler" : "gmm",
          "validation" : 150
        },
        "crc32" : "00000000",
        "dataset" : "folder",
        "digests" : {},
        "model" : "rae",
        "seed" : 7,
        "slices" : 4,
        "step" : 20,
        "version" : 1,
        "written by" : "lathe 0.1.0"
      }
      """#
    let sum = Checksum(of: Array(text.utf8)).hexadecimal
    let signed = text.replacing("\"00000000\"", with: "\"\(sum)\"")
    try write(Array(signed.utf8), to: folder.appending(RunState.fileName))
    let read = try RunState(reading: folder)
    #expect(read.step == 20 && read.run.model.name == "rae" && read.run.data.dataset == "folder")
    #expect(read.run.model.configuration == .object(["latentSize": .int(16)]))
    #expect(read.run.batch.size == 96 && read.run.slices == 4)
    #expect(read.run.batch.statistics == .global && read.run.data.sampling == .replacement)
    #expect(read.run.data.size == 32 && read.run.data.crop == nil)
    #expect(read.run.data.filter == .lanczos && read.run.data.flip)
    #expect(read.run.data.validation == 150 && read.run.model.sampler == .gmm)
    #expect(read.run.optimization.seed == 7 && read.run.optimization.precision == .bfloat16)
    #expect(read.best == RunState.Best(score: "generation/fid", value: 12.5))
  }

  @Test func twoMembersOfOneNameAreDamage() throws {
    let text = #"{"version": 1, "step": 1, "step": 2}"#
    try write(Array(text.utf8), to: folder.appending(RunState.fileName))
    let error = fileError { _ = try RunState(reading: folder) }
    #expect(error?.description == "two members \"step\" in \(folder)/state.json at byte 35")
  }

  @Test func aNumberThatJSONDoesNotHave() throws {
    var odd = state()
    odd.run.model.configuration = .object(["weight": .double(.nan)])
    let error = fileError { try odd.write(into: folder, digesting: []) }
    #expect(error?.kind == .unwritable)
    #expect(try names(in: folder).isEmpty)
  }

  @Test func nothingToReadIsMissing() {
    let error = fileError { _ = try RunState(reading: folder) }
    #expect(error?.kind == .missing)
    #expect(error?.path == folder.appending("state.json"))
    let unfinished = fileError { try state().write(into: folder) }
    #expect(unfinished?.kind == .missing)
  }
}

@Suite struct JSONValueTests {
  struct Example: Codable, Equatable {
    var rate: Float = 0.1
    var steps = 5
    var name = "aae"
    var weights: [Double] = [1, 0.5]
    var note: String?
  }

  @Test func anEncodableAndBack() throws {
    let value = try JSONValue(encoding: Example())
    #expect(
      value
        == .object([
          "rate": .double(0.1), "steps": .int(5), "name": .string("aae"),
          "weights": .array([.int(1), .double(0.5)]),
        ]))
    #expect(try value.decoded(as: Example.self) == Example())
    #expect(value["steps"] == .int(5))
    #expect(value["stops"] == nil)
    #expect(JSONValue.int(3)["steps"] == nil)
  }

  @Test func onlyEqualNumbersAreEqual() {
    #expect(JSONValue.int(1) == .double(1))
    #expect(JSONValue.double(-2) == .int(-2))
    #expect(JSONValue.int(1) != .double(1.5))
    #expect(JSONValue.int(.max) != .double(9_223_372_036_854_775_808))
    #expect(JSONValue.int(1) != .bool(true))
    #expect(JSONValue.null != .object([:]))
    #expect(JSONValue.array([.int(1)]) != .array([.int(2)]))
  }
}
