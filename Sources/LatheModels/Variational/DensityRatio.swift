import LatheNN
import LatheTensors

/// T(z) = log q(z) / N(z; 0, I), as the logit of a classifier that tells codes from draws of the
/// prior.
///
/// Fully connected layers with tanh, dropout before the last or not. Takahashi et al., "Variational
/// Autoencoder with Implicit Optimal Priors", AAAI 2019, and its released code.
struct DensityRatio {
  private let hidden: MLP
  private let output: Linear
  private let latentSize: Int
  private let rate: Float

  /// Shapes: `[N, latentSize]` → `[N, 1]`.
  init(_ scope: Scope, latentSize: Int, hidden widths: [Int], dropout rate: Float = 0) {
    hidden = MLP(
      scope("hidden"), inputs: latentSize, hidden: widths.dropLast(), outputs: widths.last!,
      activation: .tanh)
    output = Linear(scope("output"), inputs: widths.last!, outputs: 1)
    self.latentSize = latentSize
    self.rate = rate
  }

  func callAsFunction(_ codes: Tensor) -> Tensor {
    output(tanh(hidden(codes, mode: .training)), mode: .training)
  }

  /// The same while T is trained, with noise of a purpose for dropout.
  private func callAsFunction(
    _ codes: Tensor, dropping purpose: String, _ random: RandomSource
  ) -> Tensor {
    let features = tanh(hidden(codes, mode: .training))
    let noise = random.uniform(purpose, features.shape)
    return output(dropout(features, rate: rate, noise: noise), mode: .training)
  }

  /// −E_q[log σ(T(z))] − E_N[log (1 − σ(T(z)))], with σ the logistic function and as many codes as
  /// draws of the prior. Shapes: both `[N, latentSize]` → a scalar.
  func loss(_ codes: Tensor, against prior: Tensor, using random: RandomSource) -> Tensor {
    let (own, other) =
      rate == 0
      ? (self(codes), self(prior))
      : (self(codes, dropping: "dropout", random), self(prior, dropping: "prior-dropout", random))
    return softplus(-own).mean() + softplus(other).mean()
  }

  // MARK: Drawing

  /// Sampling-importance-resampling: of `draws` codes from N(0, I) one, with probabilities in
  /// proportion to eᵀ⁽ᶻ⁾.
  ///
  /// Rubin, "Using the SIR Algorithm to Simulate Posterior Distributions", 1988. Shapes: `[count,
  /// latentSize]`.
  func resample(_ count: Int, from draws: Int, using random: RandomSource) -> Tensor {
    inChunks(of: 64, count) { resampleChunk($0, from: draws, using: random.derived($1)) }
  }

  /// Langevin dynamics from N(0, I) towards N(z; 0, I) eᵀ⁽ᶻ⁾ / Z: z ← z − η ∇E(z) / 2 + √η ε, with
  /// E(z) = ‖z‖² / 2 − T(z).
  ///
  /// Welling and Teh, "Bayesian Learning via Stochastic Gradient Langevin Dynamics", ICML 2011.
  /// Shapes: `[count, latentSize]`.
  func langevin(_ count: Int, steps: Int, rate: Float, using random: RandomSource) -> Tensor {
    inChunks(of: 1000, count) { count, first in
      let random = random.derived(first)
      let start = random.normal("prior", [count, latentSize])
      return (0..<steps).reduce(start) { codes, step in
        let noise = random.derived(step).normal("langevin", codes.shape)
        return codes - 0.5 * rate * (codes - slope(at: codes)) + rate.squareRoot() * noise
      }
    }
  }

  /// ∇T. Shapes: both `[N, latentSize]`.
  private func slope(at codes: Tensor) -> Tensor {
    withGradients {
      let codes = codes.detached.differentiable()
      return gradients(of: self(codes).sum(), withRespectTo: [codes])[0].detached
    }
  }

  /// So many rows at a time, of `count` together, from each part's size and first row.
  private func inChunks(
    of size: Int, _ count: Int, _ part: (_ count: Int, _ first: Int) -> Tensor
  ) -> Tensor {
    let parts = stride(from: 0, to: count, by: size).map { part(min(size, count - $0), $0) }
    return concatenated(parts, axis: 0)
  }

  private func resampleChunk(_ count: Int, from draws: Int, using random: RandomSource) -> Tensor {
    let candidates = random.normal("prior", [count * draws, latentSize])
    let logWeights = self(candidates).values
    let chances = random.uniform("chance", [count]).values
    let chosen = (0..<count).map { row in
      row * draws + drawn(from: logWeights[row * draws..<(row + 1) * draws], chances[row])
    }
    return candidates.gather(chosen)
  }
}
