import LatheNN
import LatheTensors

/// What the encoder of a Wasserstein autoencoder learns before anything else, in the released code:
/// mean (E q − E p)² + mean (Cov q − Cov p)² over the entries, codes q against prior draws p.
///
/// Shapes: `[n, m]` each, n ≥ 2.
func pretrainingLoss(_ q: Tensor, _ p: Tensor) -> Losses {
  let means = (q.mean(0) - p.mean(0)).squared.mean()
  let covariances = (covariance(q) - covariance(p)).squared.mean()
  return Losses(means + covariances, terms: ["means": means, "covariances": covariances])
}

/// Sample covariance of rows. Shapes: `[n, m]`, n ≥ 2 → `[m, m]`.
private func covariance(_ rows: Tensor) -> Tensor {
  let centred = rows - rows.mean(0, keepingDimensions: true)
  return matmul(centred, centred, transposeFirst: true) / Float(rows.shape[0] - 1)
}

/// A step that is pre-training in its first `steps` steps and training after them.
func pretrained<Network>(
  by pretraining: Phase<Network>, steps: Int, then training: Block<Network>
) -> [Block<Network>] {
  guard steps > 0 else { return [training] }
  return [Block(pretraining).during(0..<steps), training.during(steps..<Int.max)]
}
