import Foundation
import LatheNN
import LatheTensors

/// T(z) = log q(z) / N(z; 0, I), as the logit of a classifier that tells codes from draws of the
/// prior.
///
/// Fully connected layers with tanh, dropout before the last. Takahashi et al., "Variational
/// Autoencoder with Implicit Optimal Priors", AAAI 2019, and its released code.
struct DensityRatio {
  private let hidden: MLP
  private let output: Linear
  private let latentSize: Int
  private let rate: Float

  /// Shapes: `[N, latentSize]` → `[N, 1]`.
  init(_ scope: Scope, latentSize: Int, hidden widths: [Int], dropout rate: Float) {
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
  func callAsFunction(_ codes: Tensor, dropping purpose: String, _ random: RandomSource) -> Tensor {
    let features = tanh(hidden(codes, mode: .training))
    let noise = random.uniform(purpose, features.shape)
    return output(dropout(features, rate: rate, noise: noise), mode: .training)
  }

  /// Sampling-importance-resampling: of `draws` codes from N(0, I) one, with probabilities in
  /// proportion to eᵀ⁽ᶻ⁾.
  ///
  /// Rubin, "Using the SIR Algorithm to Simulate Posterior Distributions", 1988. Shapes: `[count,
  /// latentSize]`.
  func resample(_ count: Int, from draws: Int, using random: RandomSource) -> Tensor {
    let chunk = 64
    let parts = stride(from: 0, to: count, by: chunk).map {
      resampleChunk(min(chunk, count - $0), from: draws, using: random.derived($0))
    }
    return concatenated(parts, axis: 0)
  }

  private func resampleChunk(_ count: Int, from draws: Int, using random: RandomSource) -> Tensor {
    let candidates = random.normal("prior", [count * draws, latentSize])
    let logWeights = self(candidates).values
    let chances = random.uniform("chance", [count]).values
    let chosen = (0..<count).map { row in
      row * draws + pick(logWeights[row * draws..<(row + 1) * draws], chances[row])
    }
    return candidates.gather(chosen)
  }

  /// Place of the first weight at which the running sum of all exceeds `chance` of the total.
  private func pick(_ logWeights: ArraySlice<Float>, _ chance: Float) -> Int {
    let largest = logWeights.max()!
    let weights = logWeights.map { exp(Double($0 - largest)) }
    var rest = Double(chance) * weights.reduce(0, +)
    for (place, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return place }
    }
    return weights.count - 1
  }
}
