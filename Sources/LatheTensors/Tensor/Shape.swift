import LatheFiles

/// The sizes of a tensor's axes, outermost first: images are `[N, height, width, channels]`.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// Size of each axis; empty for a scalar.
  public let sizes: [Int]

  /// A shape of the given sizes, none of them negative.
  public init(_ sizes: [Int]) {
    require(sizes.allSatisfy { $0 >= 0 }, "Shape: \(sizes) has a negative size")
    self.sizes = sizes
  }

  public init(arrayLiteral sizes: Int...) { self.init(sizes) }

  /// Number of axes.
  public var rank: Int { sizes.count }

  /// Number of elements: the product of the sizes.
  public var count: Int { sizes.reduce(1, *) }

  /// Size of an axis; negative numbers count from the last axis.
  public subscript(axis: Int) -> Int { sizes[resolve(axis)] }

  public var description: String { "\(sizes)" }

  /// The axis as a number from 0, traps when there is no such axis.
  func resolve(_ axis: Int) -> Int {
    let resolved = axis < 0 ? axis + rank : axis
    require((0..<rank).contains(resolved), "axis \(axis) of a tensor of shape \(self)")
    return resolved
  }

  /// The same sizes with those of `axes` set to 1.
  func reducing(_ axes: Set<Int>) -> Shape {
    Shape(sizes.indices.map { axes.contains($0) ? 1 : sizes[$0] })
  }

  /// The same shape with one axis of another size.
  func replacing(_ axis: Int, by size: Int) -> Shape {
    var sizes = sizes
    sizes[axis] = size
    return Shape(sizes)
  }

  /// Elements per step of each axis in a contiguous layout.
  var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in sizes.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * sizes[axis + 1]
    }
    return strides
  }

  /// The common shape of two operands: axes are matched from the last, a size of 1 is repeated.
  static func broadcast(_ a: Shape, _ b: Shape, _ operation: StaticString) -> Shape {
    if a == b { return a }
    let rank = max(a.rank, b.rank)
    let sizes = (0..<rank).map { axis in
      let (p, q) = (a.size(axis, ofRank: rank), b.size(axis, ofRank: rank))
      require(p == q || p == 1 || q == 1, "\(operation): \(a) and \(b) do not broadcast")
      return p == 1 ? q : p
    }
    return Shape(sizes)
  }

  /// Size of an axis when the shape is written with `rank` axes, 1 where it has none.
  func size(_ axis: Int, ofRank rank: Int) -> Int {
    let own = axis - (rank - self.rank)
    return own < 0 ? 1 : sizes[own]
  }
}
