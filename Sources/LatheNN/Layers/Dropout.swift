import LatheFiles
import LatheTensors

/// x with a share `rate` of its elements set to zero and the others divided by 1 − rate: those
/// whose noise is less than `rate`.
///
/// Srivastava et al., "Dropout", JMLR 2014, scaled in training. Shapes: both the same; noise
/// uniform in [0, 1).
public func dropout(_ x: Tensor, rate: Float, noise: Tensor) -> Tensor {
  require((0..<1).contains(rate), "dropout: a rate of \(rate)")
  let kept = 1 / (1 - rate)
  return x * Tensor(noise.values.map { $0 < rate ? 0 : kept }, shape: noise.shape)
}
