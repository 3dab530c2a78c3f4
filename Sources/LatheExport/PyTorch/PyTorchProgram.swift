import LatheKernels
import LatheNN
import LatheTensors

/// Networks as one PyTorch module: a layer for each that has parameters, a method for each network.
struct PyTorchProgram {
  private(set) var modules = PythonModules()
  private(set) var methods: [[String]] = []
  /// Constants that are no parameters: in the file they are called `constants.NAME`.
  private(set) var constants: [(name: String, values: Tensor)] = []
  /// Layers of ``PyTorchText`` that are used.
  private(set) var spectralLayers: Set<String> = []
  private let buffers: [String: Buffer]

  /// `store` has the networks' parameters and buffers.
  init(_ networks: [(method: String, network: LayerGraph)], _ store: ParameterStore)
    throws(ExportError)
  {
    buffers = Dictionary(uniqueKeysWithValues: store.buffers.map { ($0.name, $0) })
    for (method, network) in networks { try add(method, network) }
  }

  private mutating func add(_ name: String, _ network: LayerGraph) throws(ExportError) {
    let graph = network.graph
    let inputs = zip(network.inputs, graph.inputs).map { (place: $0, name: $1.name) }
    var method = PythonMethod(inputs: inputs, uses: network.uses)
    for layer in network.layers {
      method.add(layer.output, try expression(layer, network, &method))
    }
    let arguments = (["self"] + inputs.map(\.name)).joined(separator: ", ")
    let meanings = graph.inputs.map(\.meaning).joined(separator: "; ")
    methods.append(
      ["def \(name)(\(arguments)):", "    \"\"\"\(meanings) → \(graph.output.meaning).\"\"\""]
        + method.body(returning: network.output).map { "    " + $0 })
  }

  // MARK: Layers

  private mutating func expression(
    _ layer: Layer, _ network: LayerGraph, _ method: inout PythonMethod
  ) throws(ExportError) -> PythonExpression {
    var isOperation = false
    if case .operation = layer.kind { isOperation = true }
    var inputs: [PythonExpression] = []
    for operand in layer.operands {
      switch operand {
      case .result(let place): inputs.append(method.take(place, nesting: isOperation))
      case .constant(let value): inputs.append(try constant(value, network.graph))
      }
    }
    let (x, graph) = (inputs[0].text, network.graph)
    switch layer.kind {
    case .convolution(let g, let weight, let bias):
      return try convolution(x, ConvolutionText(g), weight, bias, graph)
    case .transposedConvolution(let g, let weight, let bias):
      return try convolution(x, ConvolutionText(transposed: g), weight, bias, graph)
    case .linear(let weight, let bias): return try linear(inputs[0], weight, bias, graph)
    case .batchNorm: return try batchNorm(x, layer, network)
    case .permute(let order):
      return PythonExpression("\(inputs[0].operand).permute\(order.pythonTuple)")
    case .operation(let operation):
      let shape = network.results[layer.output]
      guard let text = try PythonExpression(operation, inputs, shape: shape) else {
        throw ExportError("\(graph.name): PyTorch has no counterpart for \(operation)")
      }
      return text
    }
  }

  private mutating func convolution(
    _ x: String, _ text: ConvolutionText, _ weight: Int, _ bias: Int?, _ graph: Graph
  ) throws(ExportError) -> PythonExpression {
    let padded = text.padded(x)
    if let path = path(weight, bias, graph) {
      let made = "\(text.channels), \(text.options)" + (bias == nil ? ", bias=False" : "")
      try addLayer(path, text.layer, made, graph.isSpectral(weight))
      return PythonExpression("self.\(path)(\(padded))\(text.crop)")
    }
    let kernel = try constant(weight, graph).operand + ".permute(3, 2, 0, 1)"
    var added = "None"
    if let bias { added = try constant(bias, graph).text }
    return PythonExpression(
      "\(text.function)(\(padded), \(kernel), \(added), \(text.strides))\(text.crop)")
  }

  private mutating func linear(
    _ x: PythonExpression, _ weight: Int, _ bias: Int?, _ graph: Graph
  ) throws(ExportError) -> PythonExpression {
    if let path = path(weight, bias, graph) {
      let sizes = graph.values[weight].recorded.shape.sizes
      let made = "\(sizes[0]), \(sizes[1])" + (bias == nil ? ", bias=False" : "")
      try addLayer(path, "Linear", made, graph.isSpectral(weight))
      return PythonExpression("self.\(path)(\(x.text))")
    }
    let product = "\(x.operand) @ \(try constant(weight, graph).operand)"
    guard let bias else { return PythonExpression(product, isAtom: false) }
    return PythonExpression("\(product) + \(try constant(bias, graph).operand)", isAtom: false)
  }

  private mutating func batchNorm(
    _ x: String, _ layer: Layer, _ network: LayerGraph
  ) throws(ExportError) -> PythonExpression {
    guard case .batchNorm(let gamma, let beta, let mean, let variance, let epsilon) = layer.kind
    else { throw ExportError("no batch norm") }
    let graph = network.graph
    let kind = network.results[layer.output].count == 4 ? "BatchNorm2d" : "BatchNorm1d"
    if let scale = graph.values[gamma].parameter, let path = scale.parent(of: "gamma"),
      graph.values[beta].parameter == "\(path).beta", let buffer = buffers["\(path).running_mean"]
    {
      let momentum = ((1 - buffer.momentum) * 1e6).rounded() / 1e6
      let channels = graph.values[gamma].recorded.shape.count
      try modules.add(
        path.split(separator: "."), "nn.\(kind)(\(channels), eps=\(epsilon), momentum=\(momentum))")
      return PythonExpression("self.\(path)(\(x))")
    }
    var values: [String] = []
    for value in [mean, variance, gamma, beta] { values.append(try constant(value, graph).text) }
    return PythonExpression(
      "F.batch_norm(\(x), \(values.joined(separator: ", ")), eps=\(epsilon))")
  }

  private mutating func addLayer(
    _ path: String, _ kind: String, _ arguments: String, _ isSpectral: Bool
  ) throws(ExportError) {
    if isSpectral { spectralLayers.insert(kind) }
    let made = isSpectral ? "Spectral\(kind)" : "nn.\(kind)"
    try modules.add(path.split(separator: "."), "\(made)(\(arguments))")
  }

  /// The path of the layer whose weight and bias these are; nil if they are not one layer's own.
  private func path(_ weight: Int, _ bias: Int?, _ graph: Graph) -> String? {
    guard let name = graph.layerWeight(weight), let path = name.parent(of: "weight") else {
      return nil
    }
    guard let bias else { return path }
    return graph.values[bias].parameter == "\(path).bias" ? path : nil
  }

  // MARK: Constants

  /// A constant of a network, as it lies in lathe's memory: a parameter, what operations make of
  /// parameters, a number, or values of the file.
  private mutating func constant(_ value: Int, _ graph: Graph) throws(ExportError)
    -> PythonExpression
  {
    let known = graph.values[value]
    if let name = known.parameter { return try parameter(name, known.recorded) }
    if graph.hasParameter(value), let node = known.node.map({ graph.nodes[$0] }) {
      var inputs: [PythonExpression] = []
      for input in node.inputs { inputs.append(try constant(input, graph)) }
      if let text = try PythonExpression(node.operation, inputs, shape: known.shape) { return text }
    }
    if known.recorded.shape.count == 1, known.recorded.shape.rank == 0 {
      return PythonExpression(known.recorded.scalar.python)
    }
    let name = "\(graph.name)\(constants.count)"
    constants.append((name, known.recorded))
    try modules.add(["constants", name[...]], "constant(\(known.recorded.shape.sizes.pythonList))")
    return PythonExpression("self.constants.\(name)")
  }

  private mutating func parameter(_ name: String, _ tensor: Tensor) throws(ExportError)
    -> PythonExpression
  {
    let theirs = PyTorchTensor(name, shape: tensor.shape)
    try modules.add(theirs.name.split(separator: "."), "parameter(\(theirs.shape.pythonList))")
    guard theirs.isPermuted else { return PythonExpression("self.\(theirs.name)") }
    let back = tensor.shape.rank == 2 ? ".T" : ".permute(2, 3, 1, 0)"
    return PythonExpression("self.\(theirs.name)\(back)")
  }
}

extension Graph {
  /// The parameter that a layer's weight is, or that spectral normalization divides.
  fileprivate func layerWeight(_ value: Int) -> String? {
    if let name = values[value].parameter { return name }
    return isSpectral(value) ? values[nodes[values[value].node!].inputs[0]].parameter : nil
  }

  fileprivate func isSpectral(_ value: Int) -> Bool {
    guard let node = values[value].node.map({ nodes[$0] }),
      node.operation == .spectralNormalization,
      let weight = values[node.inputs[0]].parameter?.parent(of: "weight")
    else { return false }
    return values[node.inputs[1]].parameter == "\(weight).u"
  }

  /// Whether parameters are among what a constant is made of.
  fileprivate func hasParameter(_ value: Int) -> Bool {
    if values[value].parameter != nil { return true }
    return values[value].node.map { nodes[$0].inputs.contains { hasParameter($0) } } ?? false
  }
}

extension String {
  /// The path before `.name`; nil for a path that ends otherwise.
  fileprivate func parent(of name: String) -> String? {
    hasSuffix(".\(name)") ? String(dropLast(name.count + 1)) : nil
  }
}
