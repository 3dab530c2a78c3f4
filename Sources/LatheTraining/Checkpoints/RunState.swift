import LatheFiles
import Foundation
import SystemPackage

/// What a checkpoint says about its run, the file `state.json`.
///
/// Nothing in it depends on the time, the host or the number of ranks: equal runs write equal
/// bytes.
public struct RunState: Codable, Sendable {
  /// The name of the file in a checkpoint's folder.
  public static let fileName = "state.json"
  /// The files whose digests the state holds, unless others are given.
  public static let digestedFiles = ["model.safetensors", "optimizer.safetensors"]
  /// The version that this program writes and reads.
  public static let currentVersion = 1

  /// The version of the checkpoint's form.
  public private(set) var version = currentVersion
  /// The model's name in the registry.
  public var model: String
  /// The data set's name.
  public var dataset: String
  /// Steps done.
  public var step: Int
  /// Slices of a global batch.
  public var slices: Int
  /// Images of a global batch.
  public var batch: Int
  /// The run's seed.
  public var seed: UInt64
  /// The complete configuration.
  public var configuration: JSONValue
  /// The program and its version that wrote the checkpoint.
  public var writtenBy: String
  /// CRC-32 of whole files by their names, in eight hexadecimal digits.
  public private(set) var digests: [String: String] = [:]
  /// CRC-32 of `state.json` itself, with eight zeros in this field's place.
  private var crc32 = unset

  private static let unset = "00000000"

  private enum CodingKeys: String, CodingKey {
    case version, model, dataset, step, slices, batch, seed, configuration, digests, crc32
    case writtenBy = "written by"
  }

  /// A state to be written; ``write(into:digesting:)`` fills in the digests.
  public init(
    model: String, dataset: String, step: Int, slices: Int, batch: Int, seed: UInt64,
    configuration: JSONValue, writtenBy: String
  ) {
    self.model = model
    self.dataset = dataset
    self.step = step
    self.slices = slices
    self.batch = batch
    self.seed = seed
    self.configuration = configuration
    self.writtenBy = writtenBy
  }
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
    let file = try MappedFile(path)
    return Checksum(of: file.bytes).hexadecimal
  }
}

// MARK: Reading

extension RunState {
  /// Reads `state.json` of a checkpoint's folder and checks it and the files it has digests of.
  ///
  /// - Throws: `.missing` if a file cannot be read, `.damaged` if one differs from its digest or
  ///   the state from its own, `.mismatch` if the version is another.
  public init(reading folder: FilePath) throws(FileError) {
    let file = try MappedFile(folder.appending(Self.fileName))
    let state = try Self.decoded(file)
    try state.checkSelf(file)
    for (name, digest) in state.digests.sorted(by: { $0.key < $1.key }) {
      try Self.check("CRC-32", folder.appending(name), digest, Self.digest(folder.appending(name)))
    }
    self = state
  }

  private static func decoded(_ file: MappedFile) throws(FileError) -> RunState {
    let data = Data(file.bytes)
    do {
      // Foundation's decoder lets two members of one name pass.
      _ = try JSONReader.value(of: Array(data))
      let version = try JSONDecoder().decode(Version.self, from: data).version
      guard version == currentVersion else {
        throw FileError(
          .mismatch, "version", path: file.path, expected: "\(currentVersion)", found: "\(version)")
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
