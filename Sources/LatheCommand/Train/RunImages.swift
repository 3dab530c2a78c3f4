import LatheDistributed
import LatheData
import LatheMetrics
import LatheTraining

/// The images of a run.
struct RunImages {
  var train, test: ImageSet
  /// For evaluation while training; nil if there is none.
  var validation: ImageSet?
  /// Images taken from the training split for that.
  var heldBack = 0

  init(train: ImageSet, test: ImageSet) {
    self.train = train
    self.test = test
  }

  func with(validation: ImageSet) -> RunImages {
    var images = self
    images.validation = validation
    return images
  }

  /// `count` of the training images are for validation, and no longer for training.
  func holdingBack(_ count: Int, chosen choice: DataSettings.HeldBack, seed: UInt64) throws
    -> RunImages
  {
    guard count >= 2, count < train.count else {
      throw CommandFailure.usage(
        "validation: expected 2 to \(train.count - 1) of the \(train.count) training images, "
          + "found \(count)"
      )
    }
    var images = self
    (images.train, images.validation) = choice.divided(train, count, seed: seed)
    images.heldBack = count
    return images
  }
}

/// How a run evaluates the model while training.
struct EvaluationPlan {
  let interval: Int
  let settings: EvaluationSettings
  let features: any FeatureExtractor
  let images, training: ImageSet
  let leading: LeadingScore
  let patience: Int?
  /// What the schedule `plateau` watches; see ``EvaluationSchedule/watched``.
  let watched: LeadingScore?

  func schedule(on world: Communicator) -> EvaluationSchedule {
    EvaluationSchedule(
      every: interval,
      by: Evaluator(
        settings, reference: images, training: training, features: features, on: world),
      comparing: leading, patience: patience, watching: watched)
  }
}
