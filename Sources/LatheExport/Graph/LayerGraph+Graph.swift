import LatheKernels
import LatheTensors

extension LayerGraph {
  /// The layers of a recorded network.
  ///
  /// A bias becomes part of the layer before it. Images are turned to `[N, C, H, W]` for
  /// convolutions and batch norm, stay so through functions of each element, and are turned back
  /// for everything else.
  ///
  /// - Throws: ``ExportError`` for an operation that has no words in other programs.
  init(_ graph: Graph) throws(ExportError) {
    var builder = LayerBuilder(graph)
    for node in graph.nodes where graph.values[node.output].isDynamic { try builder.add(node) }
    self = builder.finished
  }
}

/// Turns nodes into layers, one after another.
private struct LayerBuilder {
  private let graph: Graph
  private var layers: LayerGraph
  /// Where each value of the graph is: as it lies in memory, and as planes `[N, C, H, W]`.
  private var rows: [Int: Int] = [:]
  private var planes: [Int: Int] = [:]
  /// Nodes that take each value.
  private let users: [Int: [Int]]
  /// Nodes that an earlier layer has taken in.
  private var done: Set<Int> = []

  init(_ graph: Graph) {
    self.graph = graph
    layers = LayerGraph(graph: graph)
    var users: [Int: [Int]] = [:]
    for (place, node) in graph.nodes.enumerated() {
      for input in Set(node.inputs) { users[input, default: []].append(place) }
    }
    self.users = users
    for input in graph.inputs {
      rows[input.value] = layers.results.count
      layers.inputs.append(layers.results.count)
      layers.results.append(graph.values[input.value].shape)
    }
  }

  var finished: LayerGraph {
    mutating get {
      layers.output = inRows(graph.output.value)
      return layers
    }
  }

  mutating func add(_ node: Graph.Node) throws(ExportError) {
    guard !done.contains(graph.values[node.output].node!) else { return }
    let operands = node.inputs.map { graph.values[$0] }
    switch node.operation {
    case .conv2d(let geometry) where !operands[1].isDynamic:
      addConvolution(node) { .convolution(geometry, weight: $0, bias: $1) }
    case .convTranspose2d(let geometry) where !operands[1].isDynamic:
      addConvolution(node) { .transposedConvolution(geometry, weight: $0, bias: $1) }
    case .matmul(false, false) where !operands[1].isDynamic:
      let (bias, end) = bias(after: node)
      set(end, planar: false, [inRows(node.inputs[0])], .linear(weight: node.inputs[1], bias: bias))
      rectify(end, if: isRectified(end))
    case .normalization(let epsilon, let relu) where !operands[1...].contains { $0.isDynamic }:
      addNormalization(node, epsilon)
      rectify(node.output, if: relu)
    case .addBias(let relu):
      addOperation(node, .binary(.add))
      rectify(node.output, if: relu)
    case .normalization, .spectralNormalization: throw unknown("weights that depend on the input")
    case .other(let name): throw unknown(name)
    default: addOperation(node, node.operation)
    }
  }

  private func unknown(_ name: String) -> ExportError {
    ExportError("\(graph.name): \(name) has no counterpart in other programs")
  }

  private mutating func addConvolution(_ node: Graph.Node, _ kind: (Int, Int?) -> Layer.Kind) {
    let (bias, end) = bias(after: node)
    set(end, planar: true, [inPlanes(node.inputs[0])], kind(node.inputs[1], bias))
    rectify(end, if: isRectified(end))
  }

  private mutating func addNormalization(_ node: Graph.Node, _ epsilon: Float) {
    let isImage = graph.values[node.output].shape.count == 4
    let x = isImage ? inPlanes(node.inputs[0]) : inRows(node.inputs[0])
    set(
      node.output, planar: isImage, [x],
      .batchNorm(
        gamma: node.inputs[1], beta: node.inputs[2], mean: node.inputs[3],
        variance: node.inputs[4], epsilon: epsilon))
  }

  /// Functions of each element keep the layout; axes of others are those in memory.
  private mutating func addOperation(_ node: Graph.Node, _ operation: Operation) {
    let isPlanar =
      operation.isElementwise
      && node.inputs.allSatisfy {
        planes[$0] != nil
          || !graph.values[$0].isDynamic && graph.values[$0].recorded.shape.count == 1
      }
    let operands = node.inputs.map { input in
      graph.values[input].isDynamic
        ? isPlanar ? inPlanes(input) : inRows(input) : Layer.Operand.constant(input)
    }
    set(node.output, planar: isPlanar, operands, .operation(operation))
  }

  /// The bias that is all that uses a node's output, and the value behind it.
  private mutating func bias(after node: Graph.Node) -> (bias: Int?, end: Int) {
    guard let only = users[node.output], only.count == 1, node.output != graph.output.value,
      case let next = graph.nodes[only[0]], case .addBias = next.operation,
      next.inputs[0] == node.output, !graph.values[next.inputs[1]].isDynamic
    else { return (nil, node.output) }
    done.insert(only[0])
    return (next.inputs[1], next.output)
  }

  private func isRectified(_ value: Int) -> Bool {
    graph.nodes[graph.values[value].node!].operation == .addBias(relu: true)
  }

  /// Puts a ReLU behind a value's layer.
  private mutating func rectify(_ value: Int, if isRectified: Bool) {
    guard isRectified else { return }
    let isPlanar = planes[value] != nil
    let x = Layer.Operand.result(isPlanar ? planes[value]! : rows[value]!)
    set(value, planar: isPlanar, [x], .operation(.unary(.relu)))
  }

  private mutating func set(
    _ value: Int, planar: Bool, _ operands: [Layer.Operand], _ kind: Layer.Kind
  ) {
    let shape = graph.values[value].shape
    let result = append(kind, operands, planar ? [0, 3, 1, 2].map { shape[$0] } : shape)
    if planar { planes[value] = result } else { rows[value] = result }
  }

  private mutating func append(
    _ kind: Layer.Kind, _ operands: [Layer.Operand], _ shape: [Dimension]
  ) -> Int {
    layers.results.append(shape)
    let output = layers.results.count - 1
    layers.layers.append(Layer(kind: kind, operands: operands, output: output))
    return output
  }

  private mutating func inRows(_ value: Int) -> Layer.Operand { .result(inRows(value)) }

  private mutating func inRows(_ value: Int) -> Int {
    if let place = rows[value] { return place }
    let shape = graph.values[value].shape
    let place = append(.permute([0, 2, 3, 1]), [.result(planes[value]!)], shape)
    rows[value] = place
    return place
  }

  private mutating func inPlanes(_ value: Int) -> Layer.Operand {
    if let place = planes[value] { return .result(place) }
    let shape = [0, 3, 1, 2].map { graph.values[value].shape[$0] }
    let place = append(.permute([0, 3, 1, 2]), [.result(rows[value]!)], shape)
    planes[value] = place
    return .result(place)
  }
}

extension Operation {
  /// Whether each element of the output comes from one of each input.
  fileprivate var isElementwise: Bool {
    switch self {
    case .unary, .binary, .affine, .leakyRelu, .clamp: true
    default: false
    }
  }
}
