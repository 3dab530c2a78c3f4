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
  public let remarks: [String]
  /// Share of the test images that it classified rightly when it was trained, in percent.
  public let accuracy: String

  private let network: ClassifierNetwork
  private let store: ParameterStore

  /// Images in a pass; fewer of large images, so that activations take no more memory.
  private var imagesInPass: Int { side <= 64 ? 64 : max(1, 64 * 64 * 64 / (side * side)) }

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
    channels = try file.number("channels", in: [1, 3])
    side = try file.number("side", in: 1...Self.largestSide)
    accuracy = String((file.metadata["accuracy"] ?? "unknown").prefix(20))
    name = "classifier-\(channels == 1 ? "grey" : "colour") (\(origin))"
    store = ParameterStore(seed: 0)
    network = ClassifierNetwork(
      store, channels: channels, classes: try file.number("classes", in: 2...Self.mostClasses))
    store.layOut()
    for tensor in store.tensors {
      try file.copy(tensor.name, expecting: tensor.shape, to: tensor.storage.pointer)
      let values = UnsafeBufferPointer(
        start: tensor.storage.pointer, count: tensor.storage.count)
      try file.requireFinite(values, of: tensor.name)
      if tensor.name.hasSuffix("running_var"), let value = values.first(where: { $0 < 0 }) {
        throw file.mismatch(
          "\(tensor.name): variances", expected: "at least 0", found: "\(value)")
      }
    }
    remarks = file.remark(onTypesOf: store.tensors.map(\.name))
  }

  /// Bounds of what a file may ask for.
  private static let (largestSide, mostClasses) = (512, 10_000)

  public func features(of images: Tensor) throws(FeatureError) -> Features {
    guard images.shape[3] == channels else {
      throw .channels(images.shape[3], extractor: name, expected: "\(channels)")
    }
    return featuresInPasses(
      of: images, size: imagesInPass, dimensions: dimensions!, extract)
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
  fileprivate func number(
    _ key: String, in bounds: some RandomAccessCollection<Int>
  ) throws(FileError) -> Int {
    guard let text = metadata[key], let value = Int(text), bounds.contains(value) else {
      throw mismatch(
        "metadata \(key)",
        expected: bounds.count == 2
          ? "\(bounds.first!) or \(bounds.last!)" : "\(bounds.first!) to \(bounds.last!)",
        found: metadata[key].map { String($0.prefix(40)) } ?? "none")
    }
    return value
  }

  /// - Throws: `FileError` (mismatch) for weights that no image would give features with.
  func requireFinite(_ values: some Sequence<Float>, of tensor: String) throws(FileError) {
    guard let value = values.first(where: { !$0.isFinite }) else { return }
    throw mismatch("\(tensor): weights", expected: "finite numbers", found: "\(value)")
  }

  /// What is to be said of the types of some tensors: nothing if all are float32.
  func remark(onTypesOf names: some Sequence<String>) -> [String] {
    let types = convertedTypes(of: names)
    guard !types.isEmpty else { return [] }
    return ["weights of type \(types.joined(separator: ", ")) are converted to float32"]
  }
}

extension ParameterStore {
  /// What a file of weights holds: parameters, then buffers.
  var tensors: [(name: String, shape: [Int], storage: Storage)] {
    parameters.map { ($0.name, $0.shape.sizes, values.storage($0.range)) }
      + buffers.map { ($0.name, $0.shape.sizes, bufferValues.storage($0.range)) }
  }
}
