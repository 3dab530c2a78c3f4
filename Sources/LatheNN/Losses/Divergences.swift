import LatheTensors

/// Mean over the batch of KL(N(mean, standardDeviation²) ‖ N(0, I)), in nats: Σ ½ (μ² + σ² − 2 log
/// σ − 1).
///
/// Kingma and Welling, "Auto-Encoding Variational Bayes", 2014, Appendix B. Shapes: both `[N,
/// latentSize]` → a scalar.
public func normalKL(mean: Tensor, standardDeviation: Tensor) -> Tensor {
  let terms = mean.squared + standardDeviation.squared - 2 * log(standardDeviation) - 1
  return 0.5 * terms.sum() / Float(mean.shape[0])
}

/// log N(z; mean, standardDeviation²) with independent coordinates, summed over the last axis, in
/// nats.
///
/// Concretely, −Σ ½ ((z − μ) / σ)² + log σ + log √(2π). Shapes: `[…, m]`, which may broadcast →
/// `[…]`.
public func logNormal(_ z: Tensor, mean: Tensor, standardDeviation: Tensor) -> Tensor {
  -(0.5 * ((z - mean) / standardDeviation).squared + log(standardDeviation) + 0.918_938_53).sum(-1)
}

/// log N(z; 0, I), summed over the last axis, in nats. Shapes: `[…, m]` → `[…]`.
public func logNormal(_ z: Tensor) -> Tensor { -(0.5 * z.squared + 0.918_938_53).sum(-1) }

/// λ-free gradient penalty: the mean over samples of (‖∇ critic(x)‖₂ − 1)², at points x of rank 2
/// or more.
///
/// Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, Eq. 3. Shapes: `[N, …]`
/// → a scalar.
public func gradientPenalty(of critic: (Tensor) -> Tensor, at points: Tensor) -> Tensor {
  // A difference of nearly equal numbers: products keep all their digits here.
  withPrecision(.float32) {
    let x = points.detached.differentiable()
    let slope = gradients(of: critic(x).sum(), withRespectTo: [x])[0]
    return (slope.flattened.norm(axis: 1) - 1).squared.mean()
  }
}
