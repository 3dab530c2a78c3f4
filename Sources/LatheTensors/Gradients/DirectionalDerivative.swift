import LatheFiles

/// f(x) and its derivative at x along v, J v, which can be differentiated again.
///
/// By two sweeps backwards: Jᵀ u is linear in u, and its gradient in u along v is J v, whatever u
/// is. Pearlmutter's and forward-mode's Jacobian-vector product, out of reverse mode alone; three
/// times the cost of f. Batch norm with statistics of the batch is differentiated with its
/// statistics. Shapes: v as x; the derivative as f(x).
public func directionalDerivative(
  of f: (Tensor) -> Tensor, at x: Tensor, along v: Tensor
) -> (value: Tensor, derivative: Tensor) {
  require(x.shape == v.shape, "directionalDerivative: at \(x.shape) along \(v.shape)")
  let point = x.isDifferentiable ? x : x.differentiable()
  let y = f(point)
  let u = Tensor(filledWith: 1, shape: y.shape).differentiable()
  let pulled = gradients(of: (y * u).sum(), withRespectTo: [point])[0]
  return (y, gradients(of: (pulled * v).sum(), withRespectTo: [u])[0])
}
