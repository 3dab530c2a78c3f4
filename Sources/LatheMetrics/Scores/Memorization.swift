import LatheFiles

/// Whether samples lie nearer to training images than to images of the same law that the model has
/// not seen.
public struct Memorization: Sendable, Equatable {
  /// Share of the samples whose nearest training image is nearer than their nearest unseen one; a
  /// tie counts half. 0.5 is expected of a model that has memorized nothing, 1 of copies.
  public let nearerToTraining: Double
  /// Standard deviation of that share if any half of the images had been the training images.
  ///
  /// A sample votes for the set of the one image that is nearest to it among both. Concretely, with
  /// c the votes for an image, 2n images and m samples: √(Σ (c − c̄)² · 2n / (2n − 1)) / 2m.
  /// It exceeds the binomial error where some images are nearest to many samples.
  public let standardError: Double
  /// √(p (1 − p) / m), if the images are taken as given.
  public let binomialError: Double
  /// C_T of one cell: the z-score of the Mann–Whitney statistic of distances to the nearest
  /// training image, of samples against unseen images; below 0 where samples are nearer.
  ///
  /// Meehan, Chaudhuri and Dasgupta, "A Non-Parametric Test to Detect Data-Copying in Generative
  /// Models", AISTATS 2020, Section 3.1.
  public let dataCopying: Double

  /// Of the nearest one of `count` training images to each sample, of as many unseen images to each
  /// sample, and of the training images to each unseen image.
  ///
  /// - Throws: `ScoreError`: no samples or images, or a neighbour that could not be found as
  ///   features are not finite.
  public init(
    training: [[Neighbor]], unseen: [[Neighbor]], ofUnseen: [[Neighbor]], count: Int
  ) throws(ScoreError) {
    require(
      training.count == unseen.count && ofUnseen.count == count,
      "Memorization: \(training.count) and \(unseen.count) samples, \(ofUnseen.count) of \(count)")
    let smallest = min(count, training.count)
    if smallest < 1 { throw .tooFew("images and samples", needed: 1, found: smallest) }
    for list in [training, unseen, ofUnseen] where list.contains(where: \.isEmpty) {
      throw .notFinite("distances of features")
    }
    let votes = Votes(training.map { $0[0] }, unseen.map { $0[0] }, count)
    nearerToTraining = votes.share
    standardError = votes.standardError
    binomialError = (votes.share * (1 - votes.share) / Double(training.count)).squareRoot()
    dataCopying = mannWhitney(training.map { $0[0].distance }, ofUnseen.map { $0[0].distance })
  }
}

/// How many samples have which image as their nearest, training images first.
private struct Votes {
  let share, standardError: Double

  init(_ training: [Neighbor], _ unseen: [Neighbor], _ count: Int) {
    var votes = [Double](repeating: 0, count: 2 * count)
    for (near, other) in zip(training, unseen) {
      let part = near.distance < other.distance ? 1 : near.distance > other.distance ? 0 : 0.5
      votes[near.number] += part
      votes[count + other.number] += 1 - part
    }
    let (samples, images) = (Double(training.count), Double(2 * count))
    share = votes[..<count].reduce(0, +) / samples
    let mean = samples / images
    let squares = votes.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    standardError = (squares * images / (images - 1)).squareRoot() / (2 * samples)
  }
}

/// (U − mn/2) / √(mn (m + n + 1) / 12), U the number of pairs of which `one`'s value is the larger;
/// ties count half.
private func mannWhitney(_ one: [Double], _ other: [Double]) -> Double {
  let (values, others) = (one.sorted(), other.sorted())
  var (below, notAbove, pairs) = (0, 0, 0.0)
  for value in values {
    while below < others.count, others[below] < value { below += 1 }
    while notAbove < others.count, others[notAbove] <= value { notAbove += 1 }
    pairs += Double(below + notAbove) / 2
  }
  let (m, n) = (Double(one.count), Double(other.count))
  return (pairs - m * n / 2) / (m * n * (m + n + 1) / 12).squareRoot()
}
