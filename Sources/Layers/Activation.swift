import Tensors

/// A function applied to each element between layers.
public enum Activation: Hashable, Sendable, Codable {
  case identity, relu, sigmoid, tanh, softplus
  /// x where positive, slope · x elsewhere.
  case leakyRelu(slope: Float)

  /// Shapes: any → the same.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .identity: x
    case .relu: Tensors.relu(x)
    case .sigmoid: Tensors.sigmoid(x)
    case .tanh: Tensors.tanh(x)
    case .softplus: Tensors.softplus(x)
    case .leakyRelu(let slope): Tensors.leakyRelu(x, slope: slope)
    }
  }
}
