import LatheNN
import LatheTensors

/// The rate of the released code of Wasserstein autoencoders: milestones, or an exponential decay
/// if `decaySteps` > 0.
///
/// Each of `factors` multiplies the rate from the step of the same place in `milestones` on; the
/// exponential decay reaches a hundredth after `decaySteps` (the code's "manual_smooth").
func wassersteinSchedule(
  _ rate: Float, milestones: [Int], factors: [Float], decaySteps: Int
) -> Schedule {
  decaySteps > 0
    ? .exponentialDecay(rate, total: 0.01, over: decaySteps)
    : .milestones(rate, Dictionary(zip(milestones, factors), uniquingKeysWith: *))
}

/// - Throws: ``ConfigurationError`` unless there is a factor for each milestone.
func validateMilestones(_ milestones: [Int], _ factors: [Float]) throws(ConfigurationError) {
  guard milestones.count != factors.count else { return }
  throw ConfigurationError(
    "milestoneFactors: expected \(milestones.count), one for each milestone, found \(factors.count)"
  )
}

extension Batch {
  /// The images with truncated normal noise, as the released code of Wasserstein autoencoders feeds
  /// them in training.
  func noisyImages(standardDeviation: Float) -> Tensor {
    standardDeviation == 0
      ? images : images + random.truncatedNormal("input", images.shape) * standardDeviation
  }
}
