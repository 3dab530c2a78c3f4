import LatheNN
import LatheTensors

/// The loss of a Wasserstein critic with gradient penalty, and its parts: `distance` and `penalty`.
///
/// Concretely, E[C(x̃)] − E[C(x)] + λ E[(‖∇C(x̂)‖₂ − 1)²], x̂ = x̃ + t (x − x̃), for x real, x̃
/// generated and t = `mix`, uniform in [0, 1) for each sample. Gulrajani et al., "Improved Training
/// of Wasserstein GANs", NeurIPS 2017, Eq. 3. The critic judges each sample by itself. Shapes:
/// `real` and `generated` `[N, …]`, `mix` `[N, 1, …]` of the same rank, scores `[N, 1]`.
func criticLosses(
  _ critic: (Tensor) -> Tensor, real: Tensor, generated: Tensor, mix: Tensor, penaltyWeight: Float
) -> Losses {
  let penalty = gradientPenalty(of: critic, at: generated + mix * (real - generated))
  // Pairs side by side: one pass through the critic, in whose last bias their gradients cancel
  // exactly.
  let pairs = concatenated([real, generated], axis: 1).reshaped(
    to: Shape([2 * real.shape[0]] + real.shape.sizes.dropFirst()))
  let scores = critic(pairs).reshaped(to: [real.shape[0], 2])
  let distance = scores.slice(0..<1, axis: 1).mean() - scores.slice(1..<2, axis: 1).mean()
  return Losses(
    penaltyWeight * penalty - distance, terms: ["distance": distance, "penalty": penalty])
}
