import LatheNN
import LatheTensors

/// The rate of the released code of Wasserstein autoencoders: milestones, or a steady decay if `decaySteps` > 0.
///
/// Each of `factors` multiplies the rate from the step of the same place in `milestones` on; the steady decay reaches
/// a hundredth after `decaySteps` (the code's "manual_smooth").
func wassersteinSchedule(
  _ rate: Float, milestones: [Int], factors: [Float], decaySteps: Int
) -> Schedule {
  decaySteps > 0
    ? .geometric(rate, total: 0.01, over: decaySteps)
    : .milestones(rate, Dictionary(zip(milestones, factors), uniquingKeysWith: *))
}

/// What is wrong with milestones and their factors, if anything is.
func milestoneError(_ milestones: [Int], _ factors: [Float]) -> String? {
  guard milestones.count != factors.count else { return nil }
  return
    "milestoneFactors: expected \(milestones.count), one for each milestone, found \(factors.count)"
}

extension Batch {
  /// The images with truncated normal noise, as the released code of Wasserstein autoencoders feeds them in training.
  func noisyImages(deviation: Float) -> Tensor {
    deviation == 0
      ? images : images + random.truncatedNormal("input", images.shape) * deviation
  }
}
