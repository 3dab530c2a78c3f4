import LatheData
import LatheTensors

/// t-SNE: a map of samples in the plane that keeps neighbours together; exact, so for some
/// thousands of samples.
///
/// van der Maaten, Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008, Algorithm 1 with early
/// exaggeration (Section 3.4) and the gains of each coordinate from the authors' program (Jacobs,
/// 1988). As in scikit-learn, gains and velocity begin again when exaggeration ends; kept, they
/// leave the divergence of small sets about twice as large.
public struct TSNE: Sendable {
  /// About how many neighbours a sample has.
  public var perplexity = 30.0
  /// What affinities are multiplied with at first.
  public var exaggeration: Float = 12
  /// Steps with exaggeration and a momentum of 0.5; the others have 0.8.
  public var exaggeratedSteps = 250
  /// All steps.
  public var steps = 1000
  /// Of the descent.
  public var learningRate: Float = 200
  /// Decides where samples begin.
  public var seed: UInt64 = 0

  /// Where samples lie in the plane.
  public struct Map: Sendable, Equatable {
    /// Coordinates across.
    public internal(set) var x: [Float]
    /// Coordinates upwards.
    public internal(set) var y: [Float]
    /// The Kullback-Leibler divergence of the plane's affinities from the samples', in nats.
    public package(set) var divergence = Double.nan

    /// Points by their coordinates.
    package init(x: [Float], y: [Float]) { (self.x, self.y) = (x, y) }
  }

  /// Perplexity 30, 1,000 steps, the first 250 exaggerated twelve times, learning rate 200.
  public init() {}

  /// The map of samples.
  ///
  /// `heartbeat` is called before each step with the steps made.
  ///
  /// - Throws: `ScoreError`: not more samples than the perplexity, features that are not finite.
  public func callAsFunction(
    _ features: Features, heartbeat: (Int) -> Void = { _ in }
  ) throws(ScoreError) -> Map {
    try map(features, from: start(features.count), heartbeat: heartbeat)
  }

  /// Normal draws with a standard deviation of 10⁻⁴.
  private func start(_ count: Int) -> Map {
    let random = CounterRandom(seed: seed)
    return Map(
      x: (0..<count).map { Float(1e-4 * random.normal(2 * $0)) },
      y: (0..<count).map { Float(1e-4 * random.normal(2 * $0 + 1)) })
  }

  /// The map from given places.
  package func map(
    _ features: Features, from start: Map, heartbeat: (Int) -> Void = { _ in }
  ) throws(ScoreError) -> Map {
    let needed = Int(perplexity) + 1
    if features.count < needed {
      throw .tooFew("samples for perplexity \(perplexity)", needed: needed, found: features.count)
    }
    if !features.values.allSatisfy(\.isFinite) { throw .notFinite("features") }
    let objective = TSNEObjective(Affinities(features, perplexity: perplexity))
    var (x, y) = (Descent(start.x), Descent(start.y))
    for step in 0..<steps {
      heartbeat(step)
      if step == exaggeratedSteps { (x, y) = (Descent(x.values), Descent(y.values)) }
      let isEarly = step < exaggeratedSteps
      let slope = objective.gradient(
        x.values, y.values, exaggeration: isEarly ? exaggeration : 1)
      x.step(against: slope.x, rate: learningRate, momentum: isEarly ? 0.5 : 0.8)
      y.step(against: slope.y, rate: learningRate, momentum: isEarly ? 0.5 : 0.8)
    }
    var map = Map(x: x.values, y: y.values)
    map.divergence = objective.divergence(map.x, map.y)
    return map
  }
}

/// Gradient descent with momentum, and a gain for each coordinate that grows while the direction
/// stays.
private struct Descent {
  var values: [Float]
  private var velocity, gains: [Float]

  init(_ values: [Float]) {
    self.values = values
    velocity = [Float](repeating: 0, count: values.count)
    gains = [Float](repeating: 1, count: values.count)
  }

  mutating func step(against gradient: [Float], rate: Float, momentum: Float) {
    for i in values.indices {
      let staysOnCourse = velocity[i] * gradient[i] < 0
      gains[i] = staysOnCourse ? gains[i] + 0.2 : max(0.01, gains[i] * 0.8)
      velocity[i] = momentum * velocity[i] - rate * gains[i] * gradient[i]
      values[i] += velocity[i]
    }
  }
}
