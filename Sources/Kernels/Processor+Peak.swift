internal import CKernels

extension Processor {
  /// GF/s of one core's float32 multiply-adds in registers: the best of many short runs over `seconds`.
  ///
  /// The ceiling of any product on this machine; % of it is what a kernel is judged by.
  public static func measuredPeak(seconds: Double) -> Double {
    var (best, spent, sum) = (0.0, 0.0, Float(0))
    repeat {
      let start = ContinuousClock.now
      let operations = ck_multiply_adds(200_000, 0.5, &sum)
      let elapsed = (ContinuousClock.now - start).components
      let run = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
      best = max(best, Double(operations) / run * 1e-9)
      spent += run
    } while spent < seconds
    return best
  }
}
