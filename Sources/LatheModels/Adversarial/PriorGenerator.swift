import LatheFiles
import LatheNN
import LatheTensors

/// FlexAE's P-GEN: codes from noise.
///
/// Fully connected layers with ReLU. Without hidden layers it is the identity with a scale and a
/// shift for each dimension, G(n) = s ⊙ n + t, which starts as N(0, I): a prior that is all but
/// fixed.
struct PriorGenerator {
  private let codes: (_ noise: Tensor, Mode) -> Tensor

  /// Shapes: `[N, inputs]` → `[N, outputs]`; without hidden layers both are the same.
  init(_ scope: Scope, inputs: Int, hidden: [Int], outputs: Int) {
    guard hidden.isEmpty else {
      let network = MLP(
        scope, inputs: inputs, hidden: hidden, outputs: outputs, initializer: .glorotNormal)
      codes = { network($0, mode: $1) }
      return
    }
    require(inputs == outputs, "PriorGenerator: \(inputs) numbers for \(outputs), no layers")
    let scale = scope.parameter("scale", [outputs], .ones)
    let shift = scope.parameter("shift", [outputs], .zeros)
    codes = { noise, _ in scale.value * noise + shift.value }
  }

  func callAsFunction(_ noise: Tensor, mode: Mode) -> Tensor { codes(noise, mode) }
}
