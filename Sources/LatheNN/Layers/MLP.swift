import LatheTensors

/// Fully connected layers with an activation between them and a linear output.
public struct MLP {
  private let layers: [Linear]
  private let output: Linear
  private let activation: Activation

  /// `hidden` lists the widths of the hidden layers.
  ///
  /// Shapes: `[N, inputs]` → `[N, outputs]`.
  public init(
    _ scope: Scope, inputs: Int, hidden: [Int], outputs: Int, activation: Activation = .relu,
    initializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros
  ) {
    let widths = [inputs] + hidden
    layers = hidden.indices.map {
      Linear(
        scope("layer\($0)"), inputs: widths[$0], outputs: hidden[$0], initializer: initializer,
        biasInitializer: biasInitializer)
    }
    output = Linear(
      scope("output"), inputs: widths.last!, outputs: outputs, initializer: initializer,
      biasInitializer: biasInitializer)
    self.activation = activation
  }

  public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
    let features = layers.reduce(x) {
      activation == .relu ? $1($0, mode: mode, relu: true) : activation($1($0, mode: mode))
    }
    return output(features, mode: mode)
  }
}
