import LatheTensors

/// Names for what goes into a network and what comes out.
struct Signature {
  let name: String
  let inputs: [(name: String, meaning: String)]
  let output: (name: String, meaning: String)
}

extension Graph {
  /// What two runs in batches of different sizes have in common: what differs between them must be
  /// sizes in proportion to the batch.
  ///
  /// `parameters` names tensors that are parameters and buffers.
  ///
  /// - Throws: ``ExportError`` where the network depends on a batch in a way that was not recorded.
  init(
    _ signature: Signature, _ first: Recording, _ second: Recording,
    parameters: [Tensor.Identity: String]
  ) throws(ExportError) {
    if first.readsNumbers {
      throw ExportError("\(signature.name): numbers of a tensor decide what is computed")
    }
    var builder = GraphBuilder(signature.name, (first, second), parameters)
    try builder.add()
    name = signature.name
    (values, nodes) = (builder.values, builder.nodes)
    inputs = zip(signature.inputs, first.inputs).map { [builder] in
      Input(name: $0.name, meaning: $0.meaning, value: builder.places[$1.identity]!)
    }
    let output = try builder.value(first.output, second.output)
    self.output = (signature.output.name, signature.output.meaning, output)
  }
}

/// Adds up the values and nodes of two recordings that are alike.
private struct GraphBuilder {
  private let name: String
  private let recordings: (Recording, Recording)
  private let parameters: [Tensor.Identity: String]
  private(set) var values: [Graph.Value] = []
  private(set) var nodes: [Graph.Node] = []
  /// Values by the tensors of the first recording, and of the second.
  private(set) var places: [Tensor.Identity: Int] = [:]
  private var others: [Tensor.Identity: Int] = [:]

  init(
    _ name: String, _ recordings: (Recording, Recording), _ parameters: [Tensor.Identity: String]
  ) {
    (self.name, self.recordings, self.parameters) = (name, recordings, parameters)
  }

  mutating func add() throws(ExportError) {
    guard recordings.0.inputs.count == recordings.1.inputs.count else { throw differs("inputs") }
    for (a, b) in zip(recordings.0.inputs, recordings.1.inputs) {
      try append(a, b, isDynamic: true)
    }
    let (first, second) = (recordings.0.necessarySteps, recordings.1.necessarySteps)
    guard first.count == second.count else { throw differs("operations") }
    for (a, b) in zip(first, second) { try add(a, b) }
  }

  private mutating func add(_ a: Trace.Step, _ b: Trace.Step) throws(ExportError) {
    guard a.operation.withoutBatch == b.operation.withoutBatch, a.inputs.count == b.inputs.count
    else { throw differs("operations") }
    var inputs: [Int] = []
    for (x, y) in zip(a.inputs, b.inputs) { inputs.append(try value(x, y)) }
    let isDynamic = inputs.contains { values[$0].isDynamic }
    try append(a.output, b.output, isDynamic: isDynamic, node: nodes.count)
    nodes.append(Graph.Node(operation: a.operation, inputs: inputs, output: values.count - 1))
  }

  /// A tensor that is known, or a constant that both recordings have.
  mutating func value(_ a: Tensor, _ b: Tensor) throws(ExportError) -> Int {
    if let place = places[a.identity] {
      guard others[b.identity] == place else { throw differs("operands") }
      return place
    }
    guard a.isSame(as: b) else { throw differs("a constant") }
    try append(a, b, isDynamic: false)
    return values.count - 1
  }

  private mutating func append(
    _ a: Tensor, _ b: Tensor, isDynamic: Bool, node: Int? = nil
  ) throws(ExportError) {
    guard a.shape.rank == b.shape.rank else { throw differs("a shape") }
    var shape: [Dimension] = []
    for sizes in zip(a.shape.sizes, b.shape.sizes) {
      guard let one = Dimension(sizes, in: (recordings.0.batch, recordings.1.batch)) else {
        throw differs("a shape")
      }
      shape.append(one)
    }
    (places[a.identity], others[b.identity]) = (values.count, values.count)
    values.append(
      Graph.Value(
        shape: shape, recorded: a, parameter: parameters[a.identity], isDynamic: isDynamic,
        node: node))
  }

  private func differs(_ what: String) -> ExportError {
    ExportError(
      "\(name): \(what) of one batch and another differ: the network does something that is not "
        + "made of recorded operations")
  }
}

extension Tensor {
  /// Whether both have the same shape and bits.
  fileprivate func isSame(as other: Tensor) -> Bool {
    if identity == other.identity { return true }
    return shape == other.shape && values.map(\.bitPattern) == other.values.map(\.bitPattern)
  }
}

extension Operation {
  /// The same for any number of images.
  fileprivate var withoutBatch: Operation {
    switch self {
    case .conv2d(var geometry):
      geometry.batch = 0
      return .conv2d(geometry)
    case .convTranspose2d(var geometry):
      geometry.batch = 0
      return .convTranspose2d(geometry)
    default: return self
    }
  }
}
