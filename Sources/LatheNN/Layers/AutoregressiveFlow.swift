import LatheTensors

/// Inverse autoregressive flow: invertible steps, each of which moves and stretches a coordinate by
/// what came before it.
///
/// Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow", NeurIPS 2016.
/// A step is y ← m(y) + y · exp(s(y) / 10); the order of the coordinates is reversed before each.
/// Dividing by 10 keeps the stretch near 1 at the start, as the released code does.
public struct AutoregressiveFlow {
  private let networks: [MaskedAutoregressiveNetwork]

  /// Shapes: `[N, size]`, `[N, contextSize]` → `[N, size]` and `[N]`.
  public init(_ scope: Scope, size: Int, steps: Int, hidden: [Int], contextSize: Int) {
    networks = (0..<steps).map {
      MaskedAutoregressiveNetwork(
        scope("step\($0)"), size: size, hidden: hidden, contextSize: contextSize)
    }
  }

  /// The result, and log |det ∂ result / ∂ codes| of each sample: Σ s / 10 over steps and
  /// coordinates.
  public func callAsFunction(_ codes: Tensor, context: Tensor?) -> (
    codes: Tensor, logDeterminant: Tensor
  ) {
    var (y, logDeterminant) = (codes, Tensor(filledWith: 0, shape: [codes.shape[0]]))
    for network in networks {
      let reversed = reversingCoordinates(y)
      let numbers = network(reversed, context: context)
      let shift = numbers.slice(0..<1, axis: 1).reshaped(to: y.shape)
      let logScale = numbers.slice(1..<2, axis: 1).reshaped(to: y.shape) / 10
      y = shift + reversed * exp(logScale)
      logDeterminant = logDeterminant + logScale.sum(1)
    }
    return (y, logDeterminant)
  }

  private func reversingCoordinates(_ y: Tensor) -> Tensor {
    y.transposed(1, 0).gather((0..<y.shape[1]).reversed()).transposed(1, 0)
  }
}
