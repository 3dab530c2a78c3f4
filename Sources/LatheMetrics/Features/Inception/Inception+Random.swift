import LatheData

extension Inception {
  /// A network with random weights, for measurements and tests: its features mean nothing.
  ///
  /// Concretely, value i of tensor NAME is (2 u − 1) · limit with u the draw i of the stream of
  /// NAME's FNV-1a hash; the limit is √(6 / fan in) for weights, which keeps the scale of
  /// activations, and 0.1 for biases.
  package init(
    randomWithDimensions dimensions: Int, preparation: InceptionPreparation = .init()
  ) throws {
    try self.init(dimensions: dimensions, preparation: preparation) {
      name, shape in
      let random = CounterRandom(seed: Self.hash(name))
      let fanIn = Double(shape.dropFirst().reduce(1, *))
      let limit = shape.count == 1 ? 0.1 : (6 / fanIn).squareRoot()
      return (0..<shape.reduce(1, *)).map { Float((2 * random.uniform($0) - 1) * limit) }
    }
  }

  private static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
