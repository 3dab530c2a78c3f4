import LatheFiles
import LatheTensors

/// MADE: a network whose outputs for coordinate i depend on coordinates before i alone.
///
/// Germain et al., "MADE: Masked Autoencoder for Distribution Estimation", ICML 2015: a unit of
/// degree d sees what has a degree of at most d, an output of degree d what has one below d. Hidden
/// degrees run through 0 … size − 2 again and again. A context, as in Kingma et al., "Improved
/// Variational Inference with Inverse Autoregressive Flow", NeurIPS 2016, is added after the first
/// layer; all outputs may depend on it.
public struct MaskedAutoregressiveNetwork {
  private let layers: [MaskedLinear]
  private let output: MaskedLinear
  private let context: Parameter?
  private let size, count: Int

  /// `size` is at least 2; `hidden` lists the widths of the hidden layers, one at least; `count` is
  /// that of the numbers for each coordinate.
  ///
  /// Shapes: `[N, size]`, `[N, contextSize]` → `[N, count, size]`.
  public init(
    _ scope: Scope, size: Int, hidden: [Int], numbers count: Int = 2, contextSize: Int = 0
  ) {
    require(size >= 2, "MADE: \(size) coordinates, expected at least 2")
    require(!hidden.isEmpty, "MADE: no hidden layer")
    let coordinates = Array(0..<size)
    let degrees = [coordinates] + hidden.map { width in (0..<width).map { $0 % (size - 1) } }
    layers = hidden.indices.map { layer in
      MaskedLinear(scope("layer\(layer)"), from: degrees[layer], to: degrees[layer + 1], sees: <=)
    }
    output = MaskedLinear(
      scope("output"), from: degrees.last!, to: (0..<count).flatMap { _ in coordinates }, sees: <)
    context =
      contextSize == 0
      ? nil : scope.parameter("context", [contextSize, hidden[0]], .glorotUniform)
    (self.size, self.count) = (size, count)
  }

  /// Numbers for each coordinate, made of the coordinates before it and the context.
  public func callAsFunction(_ x: Tensor, context given: Tensor? = nil) -> Tensor {
    require((given == nil) == (context == nil), "MADE: a context where there is none, or none")
    var features = layers[0](x)
    if let given, let context { features = features + matmul(given, context.value) }
    for layer in layers.dropFirst() { features = layer(relu(features)) }
    return output(relu(features)).reshaped(to: [x.shape[0], count, size])
  }
}

/// A fully connected layer some of whose weights are held at zero.
private struct MaskedLinear {
  private let weight, bias: Parameter
  private let mask: Mask

  /// Unit j sees input i where `sees(inputs[i], outputs[j])`.
  init(
    _ scope: Scope, from inputs: [Int], to outputs: [Int], sees: @escaping (Int, Int) -> Bool
  ) {
    weight = scope.parameter("weight", [inputs.count, outputs.count], .glorotUniform)
    bias = scope.parameter("bias", [outputs.count], .zeros)
    mask = Mask(from: inputs, to: outputs, sees: sees)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    addingBias(matmul(x, weight.value * mask.values), bias.value)
  }
}

/// 1 where an output sees an input, 0 elsewhere, `[inputs, outputs]`; made when it is first used,
/// which is after the memory for a network has been asked for.
private final class Mask {
  private let inputs, outputs: [Int]
  private let sees: (Int, Int) -> Bool

  init(from inputs: [Int], to outputs: [Int], sees: @escaping (Int, Int) -> Bool) {
    (self.inputs, self.outputs, self.sees) = (inputs, outputs, sees)
  }

  private(set) lazy var values = Tensor(shape: [inputs.count, outputs.count]) { pointer in
    for (row, input) in inputs.enumerated() {
      for (column, output) in outputs.enumerated() {
        pointer[row * outputs.count + column] = sees(input, output) ? 1 : 0
      }
    }
  }
}
