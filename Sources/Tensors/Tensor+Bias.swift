import Kernels

/// x + bias for each row, then ReLU if asked, in one pass over memory.
///
/// Concretely, `relu(x + bias)`. Shapes: `[N, …, C]`, `[C]` → `[N, …, C]`.
public func addingBias(_ x: Tensor, _ bias: Tensor, relu isRectified: Bool = false) -> Tensor {
  let channels = x.shape[-1]
  require(bias.shape == [channels], "addingBias: \(x.shape) and \(bias.shape)")
  let storage = Storage(count: x.shape.count)
  Profile.measure(.elementwise) {
    Kernels.addBias(
      x.pointer, bias.pointer, rows: x.shape.count / channels, channels: channels,
      relu: isRectified, storage.pointer)
  }
  return record(storage, x.shape, from: [x, bias], keepingOutput: isRectified) { pull in
    guard isRectified else {
      return [pull.gradient, pull(1) { pull.gradient.summed(to: bias.shape) }]
    }
    if !Recording.isEnabled && pull.needs(0) && pull.needs(1) { return fusedGradients(pull) }
    let gated = gate(pull.gradient, where: pull.output, slope: 0)
    return [gated, pull(1) { gated.summed(to: bias.shape) }]
  }
}

/// Both gradients in one pass.
private func fusedGradients(_ pull: Pullback) -> [Tensor?] {
  let shape = pull.gradient.shape
  let channels = shape[-1]
  let (dx, dBias) = (Storage(count: shape.count), pull.destination(1, count: channels))
  Profile.measure(.elementwise) {
    Kernels.biasGradient(
      pull.gradient.pointer, pull.output.pointer, rows: shape.count / channels,
      channels: channels, dx: dx.pointer, dBias: dBias.pointer)
  }
  return [Tensor(dx, shape: shape), Tensor(dBias, shape: [channels])]
}
