/// Where time goes, by kind of work; off unless somebody asks. For the thread that runs the engine.
public enum Profile {
  /// A kind of work.
  public enum Kind: String, CaseIterable, Sendable {
    /// Convolutions: big to small, small to big, gradient of the weights.
    case conv2d = "conv forward / convT dX"
    case convTranspose2d = "convT forward / conv dX"
    case conv2dWeightGradient = "conv and convT dW"
    case matmul = "fully connected, all passes"
    case normalization = "batch norm, forward"
    case normalizationGradient = "batch norm, backward"
    case elementwise = "elementwise and bias"
    case reduction = "sums, maxima, bias gradients"
    case movement = "reshaping and copies"
    case random = "random numbers"
    case exchange = "gradient reduction and waiting"
    case update = "optimizer"
  }

  /// Whether time is taken.
  nonisolated(unsafe) public static var isEnabled = false
  /// Seconds by kind since the last reset.
  nonisolated(unsafe) public private(set) static var seconds: [Kind: Double] = [:]

  /// Multiplications and additions of GEMMs and convolutions since the last reset.
  nonisolated(unsafe) public private(set) static var operations = 0

  /// Forgets what was measured.
  public static func reset() { (seconds, operations) = ([:], 0) }

  /// Runs `body` and books its time when profiling is on.
  @inline(__always)
  public static func measure<Result, Failure: Error>(
    _ kind: Kind, operations count: Int = 0, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard isEnabled else { return try body() }
    operations += count
    let start = ContinuousClock.now
    defer {
      let elapsed = (ContinuousClock.now - start).components
      seconds[kind, default: 0] += Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    }
    return try body()
  }

  /// Books time of a kind, which is being measured or has been, for another.
  public static func rebook(_ time: Duration, from kind: Kind, as other: Kind) {
    guard isEnabled else { return }
    let elapsed = time.components
    let moved = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    seconds[kind, default: 0] -= moved
    seconds[other, default: 0] += moved
  }
}
