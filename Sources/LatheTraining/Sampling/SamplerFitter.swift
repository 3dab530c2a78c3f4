import LatheFiles
import LatheDistributed
import LatheData
import LatheNN
import Foundation
import LatheModels
import SystemPackage
import LatheTensors

/// Fits samplers to the codes of training images, on all ranks together: the same bits on any
/// number of them.
public struct SamplerFitter {
  /// Images that are encoded at a time; shares are made of whole chunks.
  private static let chunk = 100
  private let model: any Model
  private let images: ImageSet
  private let world: Communicator?
  private let random: RandomSource
  private let progress: Progress

  /// For the ranks of `world`, or for this process alone without one. `progress` is told
  /// how far this rank is.
  public init(
    _ model: any Model, images: ImageSet, seed: UInt64, on world: Communicator?,
    progress: @escaping Progress = { _, _, _ in }
  ) {
    (self.model, self.images, self.world, self.progress) = (model, images, world, progress)
    random = RandomSource(seed: seed).derived("sampler")
  }

  /// A sampler fitted to the codes of all images, or of at most `limit` of them at equal distances.
  /// Collective.
  ///
  /// - Throws: `SamplerError`, `MPIError`.
  public func fit(_ type: any FittedSampler.Type, limit: Int = .max) throws -> any SavableSampler {
    let count = min(images.count, type.mostCodes, limit)
    let all = min(images.count, type.mostCodes)
    let codes = withoutGradients {
      shares(count: count, of: all, drawn: type.wantsDrawnCodes)
    }
    guard let labels = model.labels else { return try type.fitted(to: codes, using: random) }
    return try Self.fitted(type, to: codes, labels, using: random)
  }

  private static func fitted<Base: FittedSampler>(
    _ type: Base.Type, to codes: CodeShares, _ labels: CodeLabels, using random: RandomSource
  ) throws -> any SavableSampler {
    try ClassSamplers<Base>.fitted(to: codes, labels, using: random)
  }

  private func shares(count: Int, of all: Int, drawn: Bool) -> CodeShares {
    let chunks = (count + SamplerFitter.chunk - 1) / SamplerFitter.chunk
    let (rank, size) = (world?.rank ?? 0, world?.size ?? 1)
    let latentSize = model.encode(images.tensor(0..<1)).shape[1]
    let numbers =
      rank * CodeShares.shareCount / size..<(rank + 1) * CodeShares.shareCount / size
    let own = numbers.map { number in
      progress("codes of \(count) training images", number - numbers.lowerBound, numbers.count)
      return CodeShares.Share(
        number: number,
        codes: CodeShares.range(ofShare: number, outOf: chunks).flatMap {
          codes(ofChunk: $0, count: count, drawn: drawn)
        }, latentSize: latentSize)
    }
    var rounds = 0
    let training = { (network: CodeTraining) in
      try train(network, steps: max(1, network.steps * count / all))
    }
    return CodeShares(count: count, latentSize: latentSize, own: own, train: training) { values in
      progress("fitting the sampler to \(count) codes", rounds, 0)
      rounds += 1
      return try gather(values)
    }
  }

  private func codes(ofChunk chunk: Int, count: Int, drawn: Bool) -> [Double] {
    let places =
      chunk * SamplerFitter.chunk..<min((chunk + 1) * SamplerFitter.chunk, count)
    let batch = images.tensor(places.map { $0 * images.count / count })
    let codes =
      drawn
      ? model.sampleCodes(of: batch, using: random.derived(chunk)) : model.encode(batch)
    return codes.values.map { Double($0) }
  }

  /// All ranks' values in rank order, which is that of the shares.
  private func gather(_ values: [Double]) throws -> [Double] {
    guard let world, world.size > 1 else { return values }
    let parts = try world.allGather(values.withUnsafeBytes { Array($0) })
    return parts.flatMap { bytes in
      [Double](unsafeUninitializedCapacity: bytes.count / 8) { buffer, count in
        bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
        count = bytes.count / 8
      }
    }
  }
}

// MARK: Networks

extension SamplerFitter {
  /// Trains a sampler's network. Where the number of ranks does not divide that of slices only the
  /// first ones do, as many as divide it, and give the others the result. Collective.
  private func train(_ training: CodeTraining, steps: Int) throws {
    guard let world else { trap("SamplerFitter: a network is trained without MPI") }
    let helpers = (1...world.size).last { CodeTraining.slices.isMultiple(of: $0) } ?? 1
    guard helpers < world.size else { return try train(training, steps, on: world) }
    let isHelping = world.rank < helpers
    let part = try world.split(isHelping ? 0 : 1)
    if isHelping { try train(training, steps, on: part) }
    try part.free()
    let values = training.store.values
    try world.broadcast(
      UnsafeMutableBufferPointer(start: values.pointer, count: values.count), from: 0)
  }

  private func train(_ training: CodeTraining, _ steps: Int, on world: Communicator) throws {
    var options = UpdateOptions()
    options.rateFactor = RateFactor(.cosine, over: steps)
    let runner = try StepRunner(
      [BoundBlock(phases: [training.phase])], training.store, on: world,
      slices: CodeTraining.slices, random: random.derived(training.phase.name), updates: options)
    for step in 0..<steps {
      progress(training.phase.name, step, steps)
      do {
        _ = try runner.run(step: step) { training.batch($0, $1, from: random.derived("codes")) }
      } catch is NotFinite {
        throw SamplerError.diverged(training.phase.name, step: step + 1)
      }
    }
    try runner.free()
  }
}

// MARK: Files

extension Sampler.Name {
  /// The file in a checkpoint's folder that holds the sampler, once it is fitted.
  var file: String { "sampler-\(rawValue).safetensors" }

  /// The file of a sampler that had another name before.
  private var formerFile: String? {
    self == .aggregatedPosterior ? "sampler-ancestral.safetensors" : nil
  }

  /// The fitted sampler in a checkpoint's folder; nil when there is none.
  ///
  /// - Throws: `FileError` when it is damaged or of another model.
  public func saved(in folder: FilePath, for loaded: LoadedModel) throws -> (any SavableSampler)? {
    guard let sampler = type(of: loaded.model).fittedSampler(named: self),
      let file = [file, formerFile].compactMap({ $0 }).first(where: {
        FileManager.default.fileExists(atPath: folder.appending($0).string)
      })
    else { return nil }
    let tensors = try Safetensors(reading: folder.appending(file))
    do {
      let saved = try Self.read(sampler, loaded.model.labels) {
        Tensor(try tensors.values($0), shape: Shape(try tensors.shape(of: $0)))
      }
      let size = saved.sampler.draw(1, RandomSource(seed: 0)).shape[-1]
      guard size == loaded.latentSize else {
        throw tensors.mismatch(
          "sampler", expected: "codes of \(loaded.latentSize) dimensions", found: "\(size)")
      }
      return saved
    } catch let error as SamplerError {
      throw FileError(.mismatch, "\(error)", path: folder.appending(file))
    }
  }

  private static func read<Base: FittedSampler>(
    _ type: Base.Type, _ labels: CodeLabels?, _ read: (String) throws -> Tensor
  ) throws -> any SavableSampler {
    guard let labels else { return try Base(reading: read) }
    return try ClassSamplers<Base>(labels, reading: read)
  }
}

extension SavableSampler {
  /// Saves the sampler in a checkpoint's folder; the file is there whole or not at all.
  ///
  /// - Throws: `FileError.unwritable`.
  public func save(in folder: FilePath) throws {
    let tensors = tensors
    try Safetensors.write(
      tensors.map {
        (
          $0.name, $0.value.shape.sizes,
          UnsafeBufferPointer(start: $0.value.storage.pointer, count: $0.value.shape.count)
        )
      }, metadata: ["sampler": Self.name.rawValue], to: folder.appending(Self.name.file))
  }
}
