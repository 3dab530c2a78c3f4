import LatheFiles
import LatheKernels

/// x + bias for each row, then ReLU if asked, in one pass over memory.
///
/// Concretely, `relu(x + bias)`. An `x` that nobody else holds is overwritten, which saves its
/// memory. Shapes: `[N, …, C]`, `[C]` → `[N, …, C]`.
public func addingBias(_ x: consuming Tensor, _ bias: Tensor, relu isRectified: Bool = false)
  -> Tensor
{
  let (shape, node) = (x.shape, x.node)
  let channels = shape[-1]
  require(bias.shape == [channels], "addingBias: \(shape) and \(bias.shape)")
  var source = x.storage
  _ = consume x
  let storage =
    isKnownUniquelyReferenced(&source) && source.isPooled ? source : Storage(count: shape.count)
  Profile.measure(.elementwise) {
    LatheKernels.addBias(
      source.pointer, bias.pointer, rows: shape.count / channels, channels: channels,
      relu: isRectified, storage.pointer)
  }
  // A gradient flows to what made x, of which only the node may be left.
  let input = Tensor(source, shape, node: node)
  return record(
    storage, shape, .addBias(relu: isRectified), from: [input, bias], keepingOutput: isRectified
  ) { pull in
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
  let (dx, dBias) = (pull.inPlace, pull.destination(1, count: channels))
  Profile.measure(.elementwise) {
    LatheKernels.biasGradient(
      pull.gradient.pointer, pull.output.pointer, rows: shape.count / channels,
      channels: channels, dx: dx.pointer, dBias: dBias.pointer)
  }
  return [Tensor(dx, shape: shape), Tensor(dBias, shape: [channels])]
}
