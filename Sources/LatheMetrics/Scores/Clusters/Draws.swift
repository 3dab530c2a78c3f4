import LatheData

/// Random draws taken one after another from a stream; the same for the same stream everywhere.
struct Draws {
  private let random: CounterRandom
  private var next = 0

  init(_ random: CounterRandom) { self.random = random }

  private mutating func draw() -> Int {
    defer { next += 1 }
    return next
  }

  /// Uniform on [0, 1).
  mutating func uniform() -> Double { random.uniform(draw()) }

  /// Uniform on 0 to `bound` − 1.
  mutating func integer(below bound: Int) -> Int { random.integer(draw(), below: bound) }

  /// Numbers below `bound`, each as likely at every place.
  mutating func integers(_ count: Int, below bound: Int) -> [Int] {
    (0..<count).map { _ in integer(below: bound) }
  }

  /// Different numbers below `bound`: the beginning of a shuffle (Fisher, Yates; Durstenfeld,
  /// 1964).
  mutating func distinct(_ count: Int, below bound: Int) -> [Int] {
    var numbers = Array(0..<bound)
    for i in 0..<count { numbers.swapAt(i, i + integer(below: bound - i)) }
    return Array(numbers[..<count])
  }
}
