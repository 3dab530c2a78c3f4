internal import CKernels

/// One step of Adam over flat memory; returns 0, or NaN when a gradient was not finite.
///
/// Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, with the bias corrections in
/// `learningRate` = α √(1 − β₂ᵗ) / (1 − β₁ᵗ) as at the end of Section 2. Concretely, with
/// h = gradientScale · g: m ← β₁ m + (1 − β₁) h, v ← β₂ v + (1 − β₂) h²,
/// p ← p − learningRate · m / (√v + ε). State and parameters are updated even when it returns NaN.
/// All four arrays have `count` elements and lie apart.
public func adam(
  _ p: MutableFloats, _ g: Floats, _ m: MutableFloats, _ v: MutableFloats, count: Int,
  learningRate: Float, beta1: Float,
  beta2: Float, epsilon: Float, gradientScale: Float
) -> Float {
  let rule = ck_adam_rule(
    learning_rate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
    gradient_scale: gradientScale)
  return checkedRanges(count) { i, count in ck_adam(p + i, g + i, m + i, v + i, count, rule) }
}

/// One step of RMSprop as in TensorFlow 1; returns 0, or NaN when a gradient was not finite.
///
/// Tieleman and Hinton, "Lecture 6.5: RMSProp", 2012. Concretely, with h = gradientScale · g:
/// s ← decay · s + (1 − decay) h², u ← momentumFactor · u + learningRate · h / √(s + ε), p ← p − u.
/// Without `momentum`, u is just the step.
public func rmsProp(
  _ p: MutableFloats, _ g: Floats, _ meanSquare: MutableFloats, _ momentum: MutableFloats?,
  count: Int,
  learningRate: Float, decay: Float, momentumFactor: Float, epsilon: Float, gradientScale: Float
) -> Float {
  let rule = ck_rms_prop_rule(
    learning_rate: learningRate, decay: decay, momentum_factor: momentumFactor, epsilon: epsilon,
    gradient_scale: gradientScale)
  return checkedRanges(count) { i, count in
    ck_rms_prop(p + i, g + i, meanSquare + i, momentum.map { $0 + i }, count, rule)
  }
}

/// One step of gradient descent with momentum; returns 0, or NaN when a gradient was not finite.
///
/// Sutskever et al., "On the Importance of Initialization and Momentum in Deep Learning", 2013, in
/// the form of PyTorch. Concretely, with h = gradientScale · g: v ← momentum · v + h, then
/// p ← p − learningRate · v, or p ← p − learningRate · (h + momentum · v) for Nesterov's. Without
/// `velocity`, p ← p − learningRate · h.
public func momentumDescent(
  _ p: MutableFloats, _ g: Floats, _ velocity: MutableFloats?, count: Int, learningRate: Float,
  momentum: Float,
  nesterov: Bool, gradientScale: Float
) -> Float {
  let rule = ck_momentum_rule(
    learning_rate: learningRate, momentum: momentum, gradient_scale: gradientScale,
    nesterov: nesterov ? 1 : 0)
  return checkedRanges(count) { i, count in
    ck_momentum_descent(p + i, g + i, velocity.map { $0 + i }, count, rule)
  }
}

/// a ← a + weight (x − a), `count` values; a weight of 1 gives x itself.
public func approach(_ a: MutableFloats, _ x: Floats, weight: Float, count: Int) {
  let rest = 1 - weight
  forEachRange(count) { range in
    for i in range { a[i] = rest * a[i] + weight * x[i] }
  }
}

/// p ← factor · p, `count` values.
public func scale(_ p: MutableFloats, by factor: Float, count: Int) {
  forEachRange(count) { range in for i in range { p[i] *= factor } }
}

/// Runs an update over ranges; 0, or NaN when any of them returned 0.
private func checkedRanges(
  _ count: Int, _ update: (_ start: Int, _ count: Int) -> Int32
) -> Float {
  let pieces = (count + pieceSize - 1) / pieceSize
  let finite = Scratch.partials.floats(pieces)
  forEachRange(count) { range in
    finite[range.lowerBound / pieceSize] = Float(update(range.lowerBound, range.count))
  }
  return (0..<pieces).allSatisfy { finite[$0] == 1 } ? 0 : .nan
}
