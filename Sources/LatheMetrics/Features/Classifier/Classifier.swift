import CWeights
import LatheFiles
import LatheNN
import SystemPackage
import LatheTensors

/// Features of a small classifier that `lathe features train` makes, for those who have no
/// Inception weights.
///
/// Two come with lathe, for grey and for colour images. Distances between them rank models as FID
/// does only roughly, and are never called FID.
public struct Classifier: FeatureExtractor {
  public let name: String
  public let dimensions: Int? = ClassifierNetwork.widths.last
  public let distanceName = "proxy distance"
  /// Channels of the images it takes.
  public let channels: Int
  /// Side of the images it was trained on, to which others are resized bilinearly.
  public let side: Int
  /// Share of the test images that it classified rightly when it was trained, in percent.
  public let accuracy: String

  private let network: ClassifierNetwork
  private let store: ParameterStore

  static let imagesInPass = 64

  /// The one that comes with lathe for images of 1 or 3 channels.
  ///
  /// - Throws: ``FeatureError`` for other images.
  public init(channels: Int) throws {
    let (start, count): (UnsafePointer<UInt8>, Int)
    switch channels {
    case 1: (start, count) = (cw_grey_classifier(), cw_grey_classifier_size())
    case 3: (start, count) = (cw_colour_classifier(), cw_colour_classifier_size())
    default: throw FeatureError.channels(channels, extractor: "classifier", expected: "1 or 3")
    }
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    try self.init(Safetensors(constant: bytes, name: "built-in classifier"), origin: "built in")
  }

  /// One from a file that `lathe features train` wrote.
  ///
  /// - Throws: `FileError` if the file can't be read or holds something else.
  public init(reading path: FilePath) throws(FileError) {
    let mapped = try MappedFile(path)
    let checksum = withExtendedLifetime(mapped) { Checksum(of: $0.bytes).hexadecimal }
    let file = path.lastComponent?.string ?? path.string
    try self.init(Safetensors(reading: path), origin: "\(file), CRC-32 \(checksum)")
  }

  /// `origin` tells classifiers apart in protocols.
  private init(_ file: Safetensors, origin: String) throws(FileError) {
    channels = try file.number("channels", atMost: 16)
    side = try file.number("side", atMost: 512)
    accuracy = file.metadata["accuracy"] ?? "unknown"
    name = "classifier-\(channels == 1 ? "grey" : "colour") (\(origin))"
    store = ParameterStore(seed: 0)
    network = ClassifierNetwork(
      store, channels: channels, classes: try file.number("classes", atMost: 100_000))
    store.layOut()
    for tensor in store.tensors {
      try file.copy(tensor.name, expecting: tensor.shape, to: tensor.storage.pointer)
    }
  }

  public func features(of images: Tensor) throws(FeatureError) -> Features {
    guard images.shape[3] == channels else {
      throw .channels(images.shape[3], extractor: name, expected: "\(channels)")
    }
    return featuresInPasses(
      of: images, size: Self.imagesInPass, dimensions: dimensions!, extract)
  }

  private func extract(_ images: Tensor) -> Tensor {
    let fits = images.shape[1] == side && images.shape[2] == side
    let resized =
      fits
      ? images : resizingBilinearly(images, height: side, width: side, halfPixelCentres: true)
    return withoutGradients {
      withPrecision(.float32) { network.features(resized, mode: .inference) }
    }
  }
}

extension Safetensors {
  /// A whole number in the metadata.
  fileprivate func number(_ key: String, atMost limit: Int) throws(FileError) -> Int {
    guard let text = metadata[key], let value = Int(text), (1...limit).contains(value) else {
      throw mismatch(
        "metadata \(key)", expected: "a number from 1 to \(limit)",
        found: metadata[key] ?? "none")
    }
    return value
  }
}

extension ParameterStore {
  /// What a file of weights holds: parameters, then buffers.
  var tensors: [(name: String, shape: [Int], storage: Storage)] {
    parameters.map { ($0.name, $0.shape.sizes, values.storage($0.range)) }
      + buffers.map { ($0.name, $0.shape.sizes, bufferValues.storage($0.range)) }
  }
}
