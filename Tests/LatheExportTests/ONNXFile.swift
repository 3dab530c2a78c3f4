import LatheTensors

/// An ONNX model as it is read, and what it computes: the operators of the standard that lathe
/// writes, by their specification.
struct ONNXFile {
  struct Node {
    let kind, output: String
    let inputs: [String]
    let attributes: [String: ProtocolBufferReader]

    func ints(_ name: String) -> [Int] { attributes[name]?.numbers(8) ?? [] }
    func int(_ name: String) -> Int { attributes[name]?.numbers(3).first ?? 0 }
    func float(_ name: String) -> Float {
      Float(bitPattern: UInt32(attributes[name]!.numbers(2)[0]))
    }
  }

  let model: ProtocolBufferReader
  let nodes: [Node]
  let inputs, outputs: [(name: String, sizes: [String])]
  private(set) var tensors: [String: Tensor] = [:]
  private var integers: [String: [Int]] = [:]

  init(_ bytes: [UInt8]) {
    model = ProtocolBufferReader(bytes)
    let graph = model.messages(7)[0]
    nodes = graph.messages(1).map { node in
      Node(
        kind: node.strings(4)[0], output: node.strings(2)[0], inputs: node.strings(1),
        attributes: Dictionary(
          uniqueKeysWithValues: node.messages(5).map { ($0.strings(1)[0], $0) }))
    }
    inputs = graph.messages(11).map(Self.described)
    outputs = graph.messages(12).map(Self.described)
    for tensor in graph.messages(5) { add(tensor) }
  }

  private static func described(_ info: ProtocolBufferReader) -> (String, [String]) {
    let sizes = info.messages(2)[0].messages(1)[0].messages(2)[0].messages(1).map { one in
      one.numbers(1).first.map(String.init) ?? one.strings(2)[0]
    }
    return (info.strings(1)[0], sizes)
  }

  private mutating func add(_ tensor: ProtocolBufferReader) {
    let (name, bytes) = (tensor.strings(8)[0], tensor.bytes(9)[0])
    func number(_ place: Int, _ size: Int) -> UInt64 {
      bytes[place * size..<(place + 1) * size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    guard tensor.numbers(2) == [1] else {
      integers[name] = (0..<bytes.count / 8).map { Int(Int64(bitPattern: number($0, 8))) }
      return
    }
    let values = (0..<bytes.count / 4).map { Float(bitPattern: UInt32(number($0, 4))) }
    tensors[name] = Tensor(values, shape: Shape(tensor.numbers(1)))
  }

  /// The network's output for inputs by name.
  func callAsFunction(_ given: [String: Tensor]) -> Tensor {
    var file = self
    file.tensors.merge(given) { $1 }
    for node in nodes { file.tensors[node.output] = file.run(node) }
    return file.tensors[outputs[0].name]!
  }

  private func run(_ node: Node) -> Tensor {
    let x = node.inputs.compactMap { tensors[$0] }
    switch node.kind {
    case "Conv", "ConvTranspose": return convolution(node, x)
    case "BatchNormalization": return batchNorm(x, epsilon: node.float("epsilon"))
    case "Gemm":
      let (ta, tb) = (node.int("transA") == 1, node.int("transB") == 1)
      let product = matmul(x[0], x[1], transposeFirst: ta, transposeSecond: tb)
      return x.count == 3 ? product + x[2] : product
    case "MatMul": return matmul(x[0], x[1])
    case "Add": return x[0] + x[1]
    case "Sub": return x[0] - x[1]
    case "Mul": return x[0] * x[1]
    case "Div": return x[0] / x[1]
    case "Relu": return relu(x[0])
    case "LeakyRelu": return leakyRelu(x[0], slope: node.float("alpha"))
    case "Sigmoid": return sigmoid(x[0])
    case "Tanh": return tanh(x[0])
    case "Exp": return exp(x[0])
    case "Log": return log(x[0])
    case "Sqrt": return sqrt(x[0])
    case "Abs": return abs(x[0])
    case "Round": return roundedStraightThrough(x[0])
    case "Reciprocal": return reciprocal(x[0])
    case "Softplus": return softplus(x[0])
    case "Clip": return x[0].clamped(to: x[1].scalar...x[2].scalar)
    default: return move(node, x)
    }
  }

  private func move(_ node: Node, _ x: [Tensor]) -> Tensor {
    let numbers = node.inputs.compactMap { integers[$0] }
    switch node.kind {
    case "Transpose": return x[0].transposed(node.ints("perm"))
    case "Reshape":
      let known = numbers[0].filter { $0 > 0 }.reduce(1, *)
      return x[0].reshaped(to: Shape(numbers[0].map { $0 < 0 ? x[0].shape.count / known : $0 }))
    case "Slice": return x[0].slice(numbers[0][0]..<numbers[1][0], axis: numbers[2][0])
    case "Gather": return x[0].gather(numbers[0])
    case "Concat": return concatenated(x, axis: node.int("axis"))
    case "ReduceSum": return x[0].sum(numbers[0], keepingDimensions: true)
    default: fatalError("no operator \(node.kind)")
    }
  }

  /// Planes to rows, and back.
  private func convolution(_ node: Node, _ x: [Tensor]) -> Tensor {
    let (pads, stride) = (node.ints("pads"), node.ints("strides")[0])
    let padding = Padding.explicit(top: pads[0], bottom: pads[2], left: pads[1], right: pads[3])
    let (images, weight) = (x[0].transposed(0, 2, 3, 1), x[1].transposed(2, 3, 1, 0))
    let y =
      node.kind == "Conv"
      ? LatheTensors.convolution(images, weight, stride: stride, padding: padding)
      : transposedConvolution(
        images, weight, stride: stride, padding: padding,
        outputPadding: node.ints("output_padding")[0])
    return (x.count == 3 ? y + x[2] : y).transposed(0, 3, 1, 2)
  }

  private func batchNorm(_ x: [Tensor], epsilon: Float) -> Tensor {
    let isImage = x[0].shape.rank == 4
    let rows = isImage ? x[0].transposed(0, 2, 3, 1) : x[0]
    let y = (rows - x[3]) / sqrt(x[4] + epsilon) * x[1] + x[2]
    return isImage ? y.transposed(0, 3, 1, 2) : y
  }
}
