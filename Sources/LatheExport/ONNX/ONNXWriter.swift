import LatheKernels
import LatheTensors

/// Writes the layers of a network as nodes of ONNX, operators of version 17.
struct ONNXWriter {
  private let network: LayerGraph
  private(set) var file: ONNXGraph
  private var results: [String]
  private var constants: [Constant: String] = [:]

  /// A constant of the network with its axes in another order.
  private struct Constant: Hashable {
    let value: Int
    let permutation: [Int]?
  }

  /// - Throws: ``ExportError`` for an operation that ONNX does not have.
  init(_ network: LayerGraph) throws(ExportError) {
    self.network = network
    let graph = network.graph
    file = ONNXGraph(graph.name)
    results = Array(repeating: "", count: network.results.count)
    for (input, place) in zip(graph.inputs, network.inputs) {
      results[place] = file.unique(input.name)
      file.add(
        results[place], network.results[place], isInput: true, meaning: input.meaning)
    }
    let output = graph.output
    let name = file.unique(output.name)
    for layer in network.layers {
      results[layer.output] = layer.output == network.output ? name : file.unique(self.name(layer))
      try write(layer)
    }
    file.add(name, network.results[network.output], isInput: false, meaning: output.meaning)
    if network.layers.isEmpty { file.add("Identity", [results[network.output]], to: name) }
  }

  // MARK: Names

  /// The path of a layer's weight without its last part, or the operation's name.
  private func name(_ layer: Layer) -> String {
    switch layer.kind {
    case .convolution(_, let weight, _), .transposedConvolution(_, let weight, _),
      .linear(let weight, _), .batchNorm(let weight, _, _, _, _):
      path(of: weight) ?? "layer"
    case .permute: "permute"
    case .operation(.unary(let function)): "\(function)"
    case .operation(.binary(let function)): "\(function)"
    case .operation(let operation): String("\(operation)".prefix { $0.isLetter || $0.isNumber })
    }
  }

  /// `encoder.conv0` for the weight `encoder.conv0.weight`, or what is made of it.
  private func path(of constant: Int) -> String? {
    let graph = network.graph
    if let name = graph.values[constant].parameter {
      return name.split(separator: ".").dropLast().joined(separator: ".")
    }
    guard let node = graph.values[constant].node else { return nil }
    return graph.nodes[node].inputs.lazy.compactMap { path(of: $0) }.first
  }

  /// The name of a constant, which is written when it is first asked for.
  private mutating func constant(
    _ value: Int, _ permutation: [Int]? = nil, called given: String? = nil
  ) -> String {
    let key = Constant(value: value, permutation: permutation)
    if let name = constants[key] { return name }
    let known = network.graph.values[value]
    let name = file.unique(known.parameter ?? given ?? "constant")
    file.add(name, permutation.map { known.recorded.transposed($0) } ?? known.recorded)
    constants[key] = name
    return name
  }

  private mutating func name(_ operand: Layer.Operand) -> String {
    switch operand {
    case .result(let place): results[place]
    case .constant(let value): constant(value)
    }
  }

  private mutating func constant(_ numbers: [Int]) -> String {
    let name = file.unique("numbers")
    file.add(name, numbers)
    return name
  }

  private mutating func constant(_ number: Float) -> String {
    let name = file.unique("number")
    file.add(name, Tensor(filledWith: number))
    return name
  }

  // MARK: Layers

  private mutating func write(_ layer: Layer) throws(ExportError) {
    let (inputs, output) = (layer.operands.map { name($0) }, results[layer.output])
    switch layer.kind {
    case .convolution(let g, let weight, let bias):
      let weights = self.weights(weight, bias, [3, 2, 0, 1], output)
      file.add("Conv", inputs + weights, to: output, attributes(g, isTransposed: false))
    case .transposedConvolution(let g, let weight, let bias):
      let weights = self.weights(weight, bias, [3, 2, 0, 1], output)
      file.add("ConvTranspose", inputs + weights, to: output, attributes(g, isTransposed: true))
    case .linear(let weight, let bias):
      let weights = self.weights(weight, bias, nil, output)
      file.add(bias == nil ? "MatMul" : "Gemm", inputs + weights, to: output)
    case .batchNorm(let gamma, let beta, let mean, let variance, let epsilon):
      let path = path(of: gamma) ?? output
      let statistics = [
        constant(mean, called: "\(path).running_mean"),
        constant(variance, called: "\(path).running_var"),
      ]
      file.add(
        "BatchNormalization", inputs + [constant(gamma), constant(beta)] + statistics, to: output,
        ["epsilon": .float(epsilon)])
    case .permute(let permutation):
      file.add("Transpose", inputs, to: output, ["perm": .ints(permutation)])
    case .operation(let operation):
      try write(operation, inputs, to: output, network.results[layer.output])
    }
  }

  private mutating func weights(
    _ weight: Int, _ bias: Int?, _ permutation: [Int]?, _ layer: String
  ) -> [String] {
    [constant(weight, permutation, called: "\(layer).weight")]
      + (bias.map { [constant($0, called: "\(layer).bias")] } ?? [])
  }

  private func attributes(_ g: ConvolutionGeometry, isTransposed: Bool)
    -> KeyValuePairs<String, ONNXGraph.Attribute>
  {
    let (rows, columns) = (WindowAxis(rowsOf: g), WindowAxis(columnsOf: g))
    let before = [rows.before, columns.before]
    let after = isTransposed ? [rows.cropped, columns.cropped] : [rows.after, columns.after]
    let pads = ONNXGraph.Attribute.ints(before + after)
    let sizes = ONNXGraph.Attribute.ints([rows.kernel, columns.kernel])
    let strides = ONNXGraph.Attribute.ints([rows.stride, columns.stride])
    guard isTransposed else { return ["kernel_shape": sizes, "strides": strides, "pads": pads] }
    return [
      "kernel_shape": sizes, "strides": strides, "pads": pads,
      "output_padding": .ints([rows.added, columns.added]),
    ]
  }
}

// MARK: Operations

extension ONNXWriter {
  private mutating func write(
    _ operation: Operation, _ inputs: [String], to output: String, _ shape: [Dimension]
  ) throws(ExportError) {
    switch operation {
    case .unary(.square): file.add("Mul", [inputs[0], inputs[0]], to: output)
    case .unary(let function): file.add(try operatorName(function), inputs, to: output)
    case .binary(let function): file.add(try operatorName(function), inputs, to: output)
    case .affine(let scale, let offset): write(scale, offset, inputs[0], to: output)
    case .leakyRelu(let slope): file.add("LeakyRelu", inputs, to: output, ["alpha": .float(slope)])
    case .clamp(let low, let high):
      file.add("Clip", inputs + [constant(low), constant(high)], to: output)
    case .matmul(let ta, let tb):
      let attributes: KeyValuePairs<String, ONNXGraph.Attribute> = [
        "transA": .int(ta ? 1 : 0), "transB": .int(tb ? 1 : 0),
      ]
      file.add("Gemm", inputs, to: output, attributes)
    default: try writeMovement(operation, inputs, to: output, shape)
    }
  }

  /// Operations that reduce or move elements.
  private mutating func writeMovement(
    _ operation: Operation, _ inputs: [String], to output: String, _ shape: [Dimension]
  ) throws(ExportError) {
    switch operation {
    case .sum(let axes): file.add("ReduceSum", inputs + [constant(axes)], to: output)
    case .max(let axes): file.add("ReduceMax", inputs, to: output, ["axes": .ints(axes)])
    case .reshape:
      file.add("Reshape", inputs + [constant(try reshapeSizes(shape))], to: output)
    case .transpose(let order): file.add("Transpose", inputs, to: output, ["perm": .ints(order)])
    case .slice(let range, let axis):
      let bounds = [[range.lowerBound], [range.upperBound], [axis]].map { constant($0) }
      file.add("Slice", inputs + bounds, to: output)
    case .pad(let axis, let before, let after):
      var pads = [Int](repeating: 0, count: 2 * shape.count)
      (pads[axis], pads[shape.count + axis]) = (before, after)
      file.add("Pad", inputs + [constant(pads)], to: output)
    case .gather(let rows): file.add("Gather", inputs + [constant(rows)], to: output)
    case .concatenate(let axis): file.add("Concat", inputs, to: output, ["axis": .int(axis)])
    default: throw missing("\(operation)")
    }
  }

  /// scale · x + offset in as few operators as it takes.
  private mutating func write(_ scale: Float, _ offset: Float, _ x: String, to output: String) {
    guard offset != 0 else {
      return file.add("Mul", [x, constant(scale)], to: output)
    }
    var scaled = x
    if scale != 1 {
      scaled = file.unique("\(output).scaled")
      file.add("Mul", [x, constant(scale)], to: scaled)
    }
    file.add("Add", [scaled, constant(offset)], to: output)
  }

  private func missing(_ what: String) -> ExportError {
    ExportError("\(network.graph.name): ONNX has no operator for \(what)")
  }

  private func operatorName(_ function: Unary) throws(ExportError) -> String {
    switch function {
    case .exp: "Exp"
    case .log: "Log"
    case .sqrt: "Sqrt"
    case .sigmoid: "Sigmoid"
    case .tanh: "Tanh"
    case .softplus: "Softplus"
    case .relu: "Relu"
    case .reciprocal: "Reciprocal"
    case .absolute: "Abs"
    case .sign: "Sign"
    case .negate: "Neg"
    case .sine: "Sin"
    case .cosine: "Cos"
    case .round: "Round"
    case .square: throw missing("\(function)")
    }
  }

  private func operatorName(_ function: Binary) throws(ExportError) -> String {
    switch function {
    case .add: "Add"
    case .subtract: "Sub"
    case .multiply: "Mul"
    case .divide: "Div"
    case .maximum: "Max"
    case .minimum: "Min"
    case .equal, .greater: throw missing("\(function)")
    }
  }
}
