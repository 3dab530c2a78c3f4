import LatheKernels
import LatheTensors

/// A Python expression, and whether it needs brackets as an operand.
struct PythonExpression {
  let text: String
  let isAtom: Bool

  init(_ text: String, isAtom: Bool = true) { (self.text, self.isAtom) = (text, isAtom) }

  /// For use as an operand.
  var operand: String { isAtom ? text : "(\(text))" }
}

extension PythonExpression {
  /// An operation of expressions; nil if PyTorch has none. `shape` is the result's.
  init?(
    _ operation: Operation, _ inputs: [PythonExpression], shape: [Dimension]
  ) throws(ExportError) {
    let x = inputs[0]
    switch operation {
    case .unary(let function): self.init("\(function.pythonName)(\(x.text))")
    case .binary(let function):
      guard let symbol = function.pythonSymbol else { return nil }
      self.init("\(x.operand) \(symbol) \(inputs[1].operand)", isAtom: false)
    case .affine(let scale, let offset): self = x.affine(scale, offset)
    case .leakyRelu(let slope): self.init("F.leaky_relu(\(x.text), \(slope))")
    case .clamp(let low, let high):
      self.init("torch.clamp(\(x.text), \(low.python), \(high.python))")
    case .matmul(let ta, let tb):
      let (a, b) = (x.operand + (ta ? ".T" : ""), inputs[1].operand + (tb ? ".T" : ""))
      self.init("\(a) @ \(b)", isAtom: false)
    default:
      guard let moved = try Self.movement(operation, inputs, shape) else { return nil }
      self.init(moved)
    }
  }

  /// Operations that reduce or move elements.
  private static func movement(
    _ operation: Operation, _ inputs: [PythonExpression], _ shape: [Dimension]
  ) throws(ExportError) -> String? {
    let x = inputs[0].operand
    switch operation {
    case .sum(let axes): return "\(x).sum(\(axes.pythonTuple), keepdim=True)"
    case .max(let axes): return "\(x).amax(\(axes.pythonTuple), keepdim=True)"
    case .reshape:
      let sizes = try reshapeSizes(shape)
      if sizes.count == 2, sizes[0] == -1 { return "\(x).flatten(1)" }
      return "\(x).reshape(\(sizes.pythonTuple))"
    case .transpose([1, 0]): return "\(x).T"
    case .transpose(let order): return "\(x).permute\(order.pythonTuple)"
    case .slice(let range, let axis):
      let before = String(repeating: ":, ", count: axis)
      return "\(x)[\(before)\(range.lowerBound):\(range.upperBound)]"
    case .pad(let axis, let before, let after):
      let inner = [Int](repeating: 0, count: 2 * (shape.count - 1 - axis))
      return "F.pad(\(inputs[0].text), \((inner + [before, after]).pythonTuple))"
    case .gather(let rows) where shape.first == .fixed(rows.count) && rows.isReversedRange:
      return "\(x).flip(0)"
    case .gather(let rows): return "\(x)[\(rows)]"
    case .concatenate(let axis):
      return "torch.cat((\(inputs.map(\.text).joined(separator: ", "))), \(axis))"
    default: return nil
    }
  }

  /// scale · x + offset.
  private func affine(_ scale: Float, _ offset: Float) -> PythonExpression {
    if scale == -1 {
      return offset == 0
        ? PythonExpression("-\(operand)", isAtom: false)
        : PythonExpression("\(offset.python) - \(operand)", isAtom: false)
    }
    let scaled = scale == 1 ? operand : "\(scale.python) * \(operand)"
    guard offset != 0 else { return PythonExpression(scaled, isAtom: scale == 1) }
    let sign = offset < 0 ? "-" : "+"
    return PythonExpression("\(scaled) \(sign) \(abs(offset).python)", isAtom: false)
  }
}

extension Unary {
  fileprivate var pythonName: String {
    switch self {
    case .relu: "F.relu"
    case .softplus: "F.softplus"
    case .absolute: "torch.abs"
    case .negate: "torch.neg"
    case .sine: "torch.sin"
    case .cosine: "torch.cos"
    default: "torch.\(self)"
    }
  }
}

extension Binary {
  fileprivate var pythonSymbol: String? {
    switch self {
    case .add: "+"
    case .subtract: "-"
    case .multiply: "*"
    case .divide: "/"
    case .maximum, .minimum, .equal, .greater: nil
    }
  }
}

extension Float {
  var python: String { isFinite ? "\(self)" : "float(\"\(self)\")" }
}

extension [Int] {
  var pythonList: String { map(String.init).joined(separator: ", ") }

  var pythonTuple: String { "(" + pythonList + (count == 1 ? ",)" : ")") }

  fileprivate var isReversedRange: Bool { self == (0..<count).reversed() }
}
