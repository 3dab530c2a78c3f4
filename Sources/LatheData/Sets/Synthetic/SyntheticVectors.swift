import LatheNN
import Glibc

extension Dataset {
  /// Vectors on a curved surface of 4 dimensions.
  public static let synthetic4 = vectors(latentSize: 4)
  /// Vectors on a curved surface of 8 dimensions.
  public static let synthetic8 = vectors(latentSize: 8)
  /// Vectors on a curved surface of 16 dimensions.
  public static let synthetic16 = vectors(latentSize: 16)
  /// Vectors on a curved surface of 32 dimensions.
  public static let synthetic32 = vectors(latentSize: 32)

  private static func vectors(latentSize: Int) -> Dataset {
    Dataset(
      name: "synthetic\(latentSize)",
      summary: "generated vectors of true dimension \(latentSize), 1 × 128, in steps of 1/255",
      shape: ImageShape(height: 1, width: SyntheticVectors.outputs, channels: 1),
      officialCounts: [.train: 50_000, .test: 10_000],
      classNames: [],
      origin: .generated { entry, split, seed in
        let vectors = SyntheticVectors(latentSize: latentSize, seed: seed)
        let count = entry.count(of: split)
        let pixels = vectors.quantised(split, count: count, trainCount: entry.trainCount)
        return ImageSet(
          name: entry.name, split: split, shape: entry.shape, pixels: pixels,
          labels: [UInt8](repeating: 0, count: count), classNames: []
        ).with(factors: vectors.codes(split, count: count).map { Float($0) })
      })
  }
}

/// Data whose true number of dimensions is known.
///
/// Concretely, x = W₂ · tanh(W₁ z + b₁) + b₂ with z ~ N(0, I) of `latentSize` dimensions, 64 hidden
/// units and 128 outputs; weights and biases are drawn once from N(0, 1/inputs). Each output is
/// scaled so that the training split spans [0, 1], the test split is scaled alike and clipped, and
/// both are rounded to multiples of 1/255.
private struct SyntheticVectors {
  static let hidden = 64
  static let outputs = 128

  let latentSize: Int
  private let random: CounterRandom
  private let inner: Affine
  private let outer: Affine

  init(latentSize: Int, seed: UInt64) {
    self.latentSize = latentSize
    random = CounterRandom(seed: seed).stream(latentSize)
    inner = Affine(inputs: latentSize, outputs: Self.hidden, random: random.stream(0))
    outer = Affine(inputs: Self.hidden, outputs: Self.outputs, random: random.stream(1))
  }

  /// The split's vectors, `[count, 128]`, as multiples of 1/255.
  func quantised(_ split: Split, count: Int, trainCount: Int) -> [UInt8] {
    let train = values(.train, count: trainCount)
    let values = split == .train ? train : values(split, count: count)
    let ranges = (0..<Self.outputs).map { OutputRange(of: train, column: $0, width: Self.outputs) }
    return values.enumerated().map { place, value in ranges[place % Self.outputs].level(value) }
  }

  /// The split's vectors before scaling, `[count, 128]`.
  private func values(_ split: Split, count: Int) -> [Float] {
    let codes = codes(split, count: count)
    var values: [Float] = []
    values.reserveCapacity(count * Self.outputs)
    for start in stride(from: 0, to: codes.count, by: latentSize) {
      let z = Array(codes[start..<start + latentSize])
      values += outer(inner(z).map { tanh($0) }).map { Float($0) }
    }
    return values
  }

  /// z of each of the split's vectors, `[count, latentSize]`.
  func codes(_ split: Split, count: Int) -> [Double] {
    let stream = random.stream(split == .train ? 2 : 3)
    return (0..<count * latentSize).map { stream.normal($0) }
  }
}

/// W x + b with W and b drawn from N(0, 1/inputs).
private struct Affine {
  private let weight: [Double]  // [inputs, outputs]
  private let bias: [Double]

  init(inputs: Int, outputs: Int, random: CounterRandom) {
    let scale = 1 / Double(inputs).squareRoot()
    weight = (0..<inputs * outputs).map { scale * random.normal($0) }
    bias = (0..<outputs).map { scale * random.normal(inputs * outputs + $0) }
  }

  func callAsFunction(_ x: [Double]) -> [Double] {
    var sums = bias
    sums.withUnsafeMutableBufferPointer { y in
      weight.withUnsafeBufferPointer { weight in
        for (row, value) in x.enumerated() {
          let line = weight.baseAddress! + row * y.count
          for column in 0..<y.count { y[column] += line[column] * value }
        }
      }
    }
    return sums
  }
}

/// The minimum and the maximum of a column, which become the levels 0 and 255.
private struct OutputRange {
  private var low = Float.infinity
  private var high = -Float.infinity

  init(of values: [Float], column: Int, width: Int) {
    for place in stride(from: column, to: values.count, by: width) {
      low = min(low, values[place])
      high = max(high, values[place])
    }
  }

  func level(_ value: Float) -> UInt8 {
    let fraction = (value - low) / (high - low)
    return UInt8((255 * min(max(fraction, 0), 1)).rounded())
  }
}
