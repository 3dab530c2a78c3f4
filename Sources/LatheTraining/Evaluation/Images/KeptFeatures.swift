import LatheFiles
import LatheMetrics
import LatheNN
import LatheTensors
import SystemPackage

/// Features of real images in files, for evaluations that ask for the same ones again.
///
/// A file's name is a digest of the images and of what the extractor makes of an image of noise: so
/// other weights, another resize or other rounding of another processor are other features.
public struct KeptFeatures {
  private let folder: FilePath

  /// Files in `folder`, which is created when the first one is written.
  public init(in folder: FilePath) { self.folder = folder }

  func file(of images: RealImages, by extractor: any FeatureExtractor) throws -> FilePath {
    let shape = images.set.shape
    let noise = RandomSource(seed: 0).uniform(
      "noise", [1, shape.height, shape.width, shape.channels])
    var bytes = try extractor.features(of: noise).values.withUnsafeBytes { Array($0) }
    bytes += "\(images.set.digest) \(shape) \(images.numbers)".utf8
    let digest = SHA256.hexadecimal(SHA256.digest(of: bytes)).prefix(16)
    return folder.appending("\(digest).safetensors")
  }

  /// Those of a file; nil where there is none that is whole.
  func read(_ file: FilePath, count: Int, dimensions: Int) -> Features? {
    guard let tensors = try? Safetensors(reading: file),
      let values = try? tensors.values("features"), values.count == count * dimensions
    else { return nil }
    return Features(values, dimensions: dimensions)
  }

  /// - Throws: `FileError.unwritable`.
  func write(_ features: Features, to file: FilePath) throws {
    try FileSystem.makeFolders(folder)
    try features.values.withUnsafeBufferPointer {
      try Safetensors.write(
        [("features", [features.count, features.dimensions], $0)], metadata: [:], to: file)
    }
  }
}
