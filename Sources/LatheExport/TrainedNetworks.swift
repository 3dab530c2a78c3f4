import LatheModels
import LatheNN
import LatheTensors

/// The networks of a trained model for other programs: encoder, decoder, and the sampler where it
/// is a network.
///
/// They are recorded while they run, so there is no second description of any of them. Images are
/// float32 `[N, height, width, channels]` in [0, 1], codes float32 `[N, latentSize]`.
public struct TrainedNetworks {
  /// What a sampler is.
  public enum SamplerForm: Equatable, Sendable {
    /// A network from random numbers to codes.
    case network
    /// Codes are N(0, I).
    case standardNormal
    /// Something that is not made of recorded operations.
    case other
  }

  /// What the sampler is.
  public let samplerForm: SamplerForm
  private let encoder, decoder: LayerGraph
  private let sampler: LayerGraph?
  private let store: ParameterStore

  /// Runs the networks twice each, on few images.
  ///
  /// - Throws: ``ExportError`` where a network does what cannot be recorded, or what other programs
  ///   do not have.
  public init(
    _ model: any Model, _ store: ParameterStore, images: ImageShape, latentSize: Int,
    sampler: Sampler?
  ) throws(ExportError) {
    let recorder = NetworkRecorder(store)
    encoder = try recorder.layers(
      Signature(
        name: "encoder", inputs: [("images", "images in [0, 1]")], output: ("codes", "codes")),
      input: [images.height, images.width, images.channels], model.encode)
    decoder = try recorder.layers(
      Signature(
        name: "decoder", inputs: [("codes", "codes")], output: ("images", "images in [0, 1]")),
      input: [latentSize], model.decode)
    (samplerForm, self.sampler) = sampler.map { recorder.layers($0) } ?? (.other, nil)
    self.store = store
  }

  /// `encoder`, `decoder` and, where it is a network, `sampler`, each as an ONNX model.
  ///
  /// - Throws: ``ExportError`` for an operation that ONNX does not have, and for more than 2 GiB,
  ///   the most that its files hold.
  public func onnx(_ facts: ExportFacts, version: String) throws(ExportError) -> [(
    name: String, bytes: [UInt8]
  )] {
    var files: [(name: String, bytes: [UInt8])] = []
    for network in [encoder, decoder, sampler].compactMap(\.self) {
      let file = try ONNXWriter(network).file
      let bytes = file.model(writtenBy: "lathe", version: version, metadata: facts.lines)
      guard bytes.count <= Int(Int32.max) else {
        throw ExportError(
          "\(network.graph.name): expected at most 2 GiB, which an ONNX file can hold, found "
            + "\(bytes.count) bytes")
      }
      files.append((network.graph.name, bytes))
    }
    return files
  }

  /// A Python program and the tensors of its file: all parameters and buffers of the model, and
  /// `constants.…` that the program needs.
  ///
  /// - Throws: ``ExportError`` for an operation that PyTorch does not have.
  public func pyTorch(_ facts: ExportFacts) throws(ExportError) -> (
    program: String, tensors: [(name: String, shape: [Int], values: Tensor)]
  ) {
    var networks = [(method: "encode", network: encoder), ("decode", decoder)]
    if let sampler { networks.append(("sample", sampler)) }
    let program = try PyTorchProgram(networks, store)
    let parameters = store.pyTorchValues.map { ($0.tensor.name, $0.tensor.shape, $0.values) }
    let constants = program.constants.map {
      ("constants.\($0.name)", $0.values.shape.sizes, $0.values)
    }
    return (PyTorchText(program: program, facts: facts).text, parameters + constants)
  }
}

/// Records networks whose parameters are those of a store.
private struct NetworkRecorder {
  private let parameters: [Tensor.Identity: String]

  init(_ store: ParameterStore) {
    let all =
      store.parameters.map { ($0.value.identity, $0.name) }
      + store.buffers.map { ($0.value.identity, $0.name) }
    parameters = Dictionary(all, uniquingKeysWith: { first, _ in first })
  }

  func layers(
    _ signature: Signature, input: [Int], _ network: (Tensor) -> Tensor
  ) throws(ExportError) -> LayerGraph {
    let first = Recording(batch: 2, input: input, network)
    let second = Recording(batch: 3, input: input, network)
    return try LayerGraph(Graph(signature, first, second, parameters: parameters))
  }

  /// What the sampler is, and its layers if it has any.
  func layers(_ sampler: Sampler) -> (TrainedNetworks.SamplerForm, LayerGraph?) {
    let (first, second) = (Recording(batch: 2, sampler), Recording(batch: 3, sampler))
    let draws = first.trace.draws
    if draws.count == 1, draws[0].isNormal, draws[0].values.identity == first.output.identity {
      return (.standardNormal, nil)
    }
    let inputs = draws.map { (name: $0.purpose.asIdentifier, meaning: $0.meaning) }
    let signature = Signature(name: "sampler", inputs: inputs, output: ("codes", "codes"))
    guard let graph = try? Graph(signature, first, second, parameters: parameters),
      let layers = try? LayerGraph(graph)
    else { return (.other, nil) }
    return (.network, layers)
  }
}

extension Trace.Draw {
  fileprivate var meaning: String {
    isNormal ? "standard normal numbers" : "numbers uniform in [0, 1)"
  }
}

extension String {
  /// Letters, digits and underscores.
  fileprivate var asIdentifier: String {
    String(map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }
}
