/// How a run measures itself while it trains.
public struct Scoring {
  /// Steps between measurements; the last step is measured as well.
  public let interval: Int
  /// What measures, on validation images: they are no part of the training images, nor of the test images.
  public let scorer: Scorer

  public init(every interval: Int, by scorer: Scorer) {
    self.interval = interval
    self.scorer = scorer
  }
}
