import Foundation
import LatheData
import LatheFiles
import LatheNN
import SystemPackage

/// What a checkpoint says about its run, the file `state.json`.
///
/// Nothing in it depends on the time, the host or the number of ranks: equal runs write equal
/// bytes.
public struct RunState: Sendable {
  /// The name of the file in a checkpoint's folder.
  public static let fileName = "state.json"
  /// The files whose digests the state holds, unless others are given.
  public static let digestedFiles = [modelFile, optimizerFile]
  /// Parameters and buffers.
  static let modelFile = "model.safetensors"
  /// The optimizers' moments.
  static let optimizerFile = "optimizer.safetensors"
  /// The moving average of the parameters, of runs that keep one.
  static let averageFile = "ema.safetensors"
  /// The version that this program writes; it reads those before, too.
  public static let currentVersion = 2

  /// Steps done.
  public var step: Int
  /// The run's settings that decide what it computes; the others have their defaults.
  public var run: RunConfiguration
  /// The images that the run is trained on; nil in checkpoints of former versions.
  public var images: Images?
  /// Why the checkpoint is the best of its run, if it was kept for that.
  public var best: Best?
  /// Where the schedule `plateau` stands, if that is the run's.
  public var plateau: Plateau.State?
  /// The program and its version that wrote the checkpoint.
  public var writtenBy: String
  /// CRC-32 of whole files by their names, in eight hexadecimal digits.
  public private(set) var digests: [String: String] = [:]
  /// CRC-32 of `state.json` itself, with eight zeros in this field's place.
  private var crc32 = unset

  private static let unset = "00000000"

  /// The score that was lower than at all other steps.
  public struct Best: Codable, Equatable, Sendable {
    public let score: String
    public let value: Double

    public init(score: String, value: Double) {
      (self.score, self.value) = (score, value)
    }
  }

  /// Training images, told from others.
  public struct Images: Codable, Equatable, Sendable {
    public let count: Int
    /// CRC-32 of shape, pixels and labels: it does not depend on where the images are.
    public let digest: String

    public init(_ images: ImageSet) { (count, digest) = (images.count, images.digest) }
  }

  /// A state to be written; ``write(into:digesting:)`` fills in the digests.
  public init(step: Int, run: RunConfiguration, writtenBy: String) {
    self.step = step
    self.run = run
    self.writtenBy = writtenBy
  }
}

extension RunState: Codable {
  private enum CodingKeys: String, CodingKey {
    case version, step, run, images, best, plateau, digests, crc32
    case writtenBy = "written by"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let whole = try JSONValue(from: decoder)
    let isFirst = try container.decode(Int.self, forKey: .version) == 1
    var settings =
      isFirst
      ? RunConfiguration.settings(ofVersion1: whole)
      : try container.decode([String: JSONValue].self, forKey: .run)
    // Earlier versions held back the last images and did not say so.
    if settings["validation"] != nil, settings["held-back"] == nil {
      settings["held-back"] = .string(DataSettings.HeldBack.last.rawValue)
    }
    run = try RunConfiguration.list.configuration(with: settings)
    let best = isFirst ? whole["configuration"]?["best"] : whole["best"]
    self.best = try best?.decoded(as: Best.self)
    images = try container.decodeIfPresent(Images.self, forKey: .images)
    plateau = try container.decodeIfPresent(Plateau.State.self, forKey: .plateau)
    step = try container.decode(Int.self, forKey: .step)
    writtenBy = try container.decode(String.self, forKey: .writtenBy)
    digests = try container.decode([String: String].self, forKey: .digests)
    crc32 = try container.decode(String.self, forKey: .crc32)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.currentVersion, forKey: .version)
    try container.encode(step, forKey: .step)
    try container.encode(run.recorded, forKey: .run)
    try container.encodeIfPresent(images, forKey: .images)
    try container.encodeIfPresent(best, forKey: .best)
    try container.encodeIfPresent(plateau, forKey: .plateau)
    try container.encode(writtenBy, forKey: .writtenBy)
    try container.encode(digests, forKey: .digests)
    try container.encode(crc32, forKey: .crc32)
  }
}

extension RunState {
  /// Whether the checkpoint has a moving average of the parameters beside them.
  public var keepsAverage: Bool { digests[Self.averageFile] != nil }
}

// MARK: Writing

extension RunState {
  /// Writes `state.json` into a checkpoint's folder, with the digests of files already there.
  ///
  /// - Throws: `.missing` if one of `files` cannot be read, `.unwritable` if the state cannot be
  ///   written or has a number that is not finite.
  public func write(
    into folder: FilePath, digesting files: [String] = digestedFiles
  ) throws(FileError) {
    var state = self
    state.crc32 = Self.unset
    state.digests = [:]
    for name in files { state.digests[name] = try Self.digest(folder.appending(name)) }
    let path = folder.appending(Self.fileName)
    state.crc32 = Checksum(of: try state.bytes(path)).hexadecimal
    let bytes = try state.bytes(path)
    try FileSystem.replace(path, with: bytes)
  }

  private func bytes(_ path: FilePath) throws(FileError) -> [UInt8] {
    do { return try Array(canonicalJSON(self)) + [UInt8(ascii: "\n")] } catch {
      throw FileError(.unwritable, "configuration: \(error)", path: path)
    }
  }

  private static func digest(_ path: FilePath) throws(FileError) -> String {
    let file = try OpenFile(reading: path)
    var (checksum, place, rest) = (Checksum(), 0, try file.size())
    // In pieces: a mapped file would count among the memory of the process.
    while rest > 0 {
      let bytes = try file.bytes(at: place, count: min(rest, 1 << 20))
      checksum.update(bytes)
      (place, rest) = (place + bytes.count, rest - bytes.count)
    }
    return checksum.hexadecimal
  }
}

// MARK: Reading

extension RunState {
  /// Reads `state.json` of a checkpoint's folder and checks it and the files it has digests of.
  ///
  /// - Throws: `.missing` if a file cannot be read, `.damaged` if one differs from its digest or
  ///   the state from its own, `.mismatch` if the version is another.
  public init(reading folder: FilePath) throws(FileError) {
    let state = try Self(withoutFiles: folder)
    try state.requireOwnFiles(folder)
    for (name, digest) in state.digests.sorted(by: { $0.key < $1.key }) {
      try Self.check("CRC-32", folder.appending(name), digest, Self.digest(folder.appending(name)))
    }
    self = state
  }

  /// The same without a look at the files: enough to know the run.
  public init(withoutFiles folder: FilePath) throws(FileError) {
    let file = try MappedFile(folder.appending(Self.fileName))
    guard file.bytes.count <= Self.mostBytes else {
      throw FileError(
        .damaged, "state", path: file.path, expected: "at most \(Self.mostBytes) bytes",
        found: "\(file.bytes.count)")
    }
    let state = try Self.decoded(file)
    try state.checkSelf(file)
    guard (0...Self.mostSteps).contains(state.step) else {
      throw FileError(
        .damaged, "step", path: file.path, expected: "0 to \(Self.mostSteps)",
        found: "\(state.step)")
    }
    self = state
  }

  /// The most bytes of `state.json`; a thousand is usual.
  private static let mostBytes = 1 << 20
  /// The most steps that a run has made: what is counted in each step stays below 2⁶³.
  private static let mostSteps = 1 << 40

  /// The files that the state speaks of are in the checkpoint's folder.
  private func requireOwnFiles(_ folder: FilePath) throws(FileError) {
    for name in digests.keys.sorted() where !name.isFileName {
      throw FileError(
        .damaged, "digests", path: folder.appending(Self.fileName),
        expected: "the names of files of the checkpoint", found: name)
    }
  }

  private static func decoded(_ file: MappedFile) throws(FileError) -> RunState {
    let data = Data(file.bytes)
    do {
      // Foundation's decoder lets two members of one name pass.
      _ = try JSONReader.value(of: Array(data))
      let version = try JSONDecoder().decode(Version.self, from: data).version
      guard (1...currentVersion).contains(version) else {
        throw FileError(
          .mismatch, "version", path: file.path, expected: "at most \(currentVersion)",
          found: "\(version)")
      }
      return try JSONDecoder().decode(RunState.self, from: data)
    } catch let error as FileError {
      throw error
    } catch let error as JSONError {
      throw FileError(.damaged, error.message, path: file.path, offset: error.offset)
    } catch {
      throw FileError(.damaged, "\(error)", path: file.path)
    }
  }

  private struct Version: Decodable {
    let version: Int
  }

  /// The digest covers the text as it was written, whoever formatted its numbers.
  private func checkSelf(_ file: MappedFile) throws(FileError) {
    let text = String(decoding: file.bytes, as: UTF8.self)
    let field = "\"crc32\" : \"\(crc32)\""
    guard let place = text.range(of: field) else {
      throw FileError(.damaged, "crc32: not in its place", path: file.path)
    }
    let blank = text.replacingCharacters(in: place, with: "\"crc32\" : \"\(Self.unset)\"")
    try Self.check("CRC-32", file.path, crc32, Checksum(of: Array(blank.utf8)).hexadecimal)
  }

  private static func check(
    _ what: String, _ path: FilePath, _ expected: String, _ found: String
  ) throws(FileError) {
    if expected != found {
      throw FileError(.damaged, what, path: path, expected: expected, found: found)
    }
  }
}
