import LatheFiles
import LatheTensors

/// Coupling flow: invertible steps, each of which moves and stretches one half of the coordinates
/// by what the other half is.
///
/// Dinh, Sohl-Dickstein and Bengio, "Density Estimation Using Real NVP", ICLR 2017, with the affine
/// coupling of Kingma and Dhariwal, "Glow", NeurIPS 2018, and its released code: (y₁, y₂) = (z₁, s
/// (z₂ + t)), s = sigmoid(r + 2), where r and t start at 0. Between steps the coordinates are dealt
/// into two piles, those of even and those of odd places.
public struct CouplingFlow {
  private let networks: [CouplingNetwork]
  private let size: Int

  /// For codes of 2 dimensions or more; `hidden` lists the widths of each step's hidden layers.
  public init(_ scope: Scope, size: Int, steps: Int, hidden: [Int]) {
    self.size = size
    networks = (0..<steps).map {
      CouplingNetwork(
        scope("step\($0)"), inputs: size / 2, hidden: hidden, outputs: size - size / 2)
    }
  }

  /// The result, and log |det ∂ result / ∂ codes| of each sample. Shapes: `[N, size]` → the same,
  /// and `[N]`.
  public func callAsFunction(_ codes: Tensor) -> (codes: Tensor, logDeterminant: Tensor) {
    var (y, logDeterminant) = (codes, Tensor(filledWith: 0, shape: [codes.shape[0]]))
    for (step, network) in networks.enumerated() {
      if step > 0 { y = reordered(y, dealt) }
      let (first, second) = halves(y)
      let (scale, shift) = network(first)
      y = concatenated([first, (second + shift) * scale], axis: 1)
      logDeterminant = logDeterminant + log(scale).sum(1)
    }
    return (y, logDeterminant)
  }

  /// The codes that the flow maps to `results`. Shape: `[N, size]` → the same.
  public func inverse(_ results: Tensor) -> Tensor {
    var z = results
    for (step, network) in networks.enumerated().reversed() {
      let (first, second) = halves(z)
      let (scale, shift) = network(first)
      z = concatenated([first, second / scale - shift], axis: 1)
      if step > 0 { z = reordered(z, gatheredBack) }
    }
    return z
  }

  private func halves(_ z: Tensor) -> (Tensor, Tensor) {
    (z.slice(0..<size / 2, axis: 1), z.slice(size / 2..<size, axis: 1))
  }

  private var dealt: [Int] {
    Array(stride(from: 0, to: size, by: 2)) + stride(from: 1, to: size, by: 2)
  }

  private var gatheredBack: [Int] {
    let order = dealt
    return (0..<size).map { order.firstIndex(of: $0)! }
  }

  private func reordered(_ z: Tensor, _ order: [Int]) -> Tensor {
    z.transposed(1, 0).gather(order).transposed(1, 0)
  }
}

/// s and t of a coupling: fully connected layers with ReLU, whose outputs are multiplied by e³ᵃ, a
/// learned for each from 0 on.
private struct CouplingNetwork {
  private let network: MLP
  private let logScale: Parameter
  private let outputs: Int

  init(_ scope: Scope, inputs: Int, hidden: [Int], outputs: Int) {
    network = MLP(scope, inputs: inputs, hidden: hidden, outputs: 2 * outputs)
    logScale = scope.parameter("scale", [2 * outputs], .zeros)
    self.outputs = outputs
  }

  func callAsFunction(_ z: Tensor) -> (scale: Tensor, shift: Tensor) {
    let both = network(z, mode: .training) * exp(3 * logScale.value)
    return (
      sigmoid(both.slice(0..<outputs, axis: 1) + 2), both.slice(outputs..<2 * outputs, axis: 1)
    )
  }
}
