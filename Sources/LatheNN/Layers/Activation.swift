import LatheTensors

/// A function applied to each element between layers.
public enum Activation: Hashable, Sendable, Codable {
  case identity, relu, sigmoid, tanh, softplus
  /// x where positive, slope · x elsewhere.
  case leakyRelu(slope: Float)

  /// Shapes: any → the same.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .identity: x
    case .relu: LatheTensors.relu(x)
    case .sigmoid: LatheTensors.sigmoid(x)
    case .tanh: LatheTensors.tanh(x)
    case .softplus: LatheTensors.softplus(x)
    case .leakyRelu(let slope): LatheTensors.leakyRelu(x, slope: slope)
    }
  }
}
