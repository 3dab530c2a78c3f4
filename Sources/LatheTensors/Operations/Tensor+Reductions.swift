import LatheFiles
import LatheKernels

extension Tensor {
  /// Sum over `axes`, all of them when none are given.
  public func sum(_ axes: Int..., keepingDimensions: Bool = false) -> Tensor {
    sum(axes, keepingDimensions: keepingDimensions)
  }

  /// Mean over `axes`, all of them when none are given.
  public func mean(_ axes: Int..., keepingDimensions: Bool = false) -> Tensor {
    mean(axes, keepingDimensions: keepingDimensions)
  }

  /// Largest element over `axes`, all of them when none are given; ties share the gradient equally.
  public func max(_ axes: Int..., keepingDimensions: Bool = false) -> Tensor {
    max(axes, keepingDimensions: keepingDimensions)
  }

  /// Mean squared deviation from the mean over `axes`, all of them when none are given.
  public func variance(_ axes: Int..., keepingDimensions: Bool = false) -> Tensor {
    variance(axes, keepingDimensions: keepingDimensions)
  }

  /// log Σ eˣ over `axes`, all of them when none are given; stable for large elements.
  public func logSumExp(_ axes: Int..., keepingDimensions: Bool = false) -> Tensor {
    logSumExp(axes, keepingDimensions: keepingDimensions)
  }

  /// √(Σ x² + 10⁻¹²) over an axis; the small term keeps the gradient finite at zero.
  public func norm(axis: Int, keepingDimensions: Bool = false) -> Tensor {
    sqrt(squared.sum([axis], keepingDimensions: keepingDimensions) + 1e-12)
  }

  /// Mean squared deviation from the mean, divided by the number of elements, not by one less.
  public func variance(_ axes: [Int], keepingDimensions: Bool = false) -> Tensor {
    (self - mean(axes, keepingDimensions: true)).squared.mean(
      axes, keepingDimensions: keepingDimensions)
  }

  /// log Σ eˣ, the largest element taken out of the sum first.
  public func logSumExp(_ axes: [Int], keepingDimensions: Bool = false) -> Tensor {
    let largest = detached.max(axes, keepingDimensions: true)
    let result = log(exp(self - largest).sum(axes, keepingDimensions: true)) + largest
    return keepingDimensions ? result : result.dropping(axes)
  }

  /// Sum over `axes`, all of them when the list is empty.
  public func sum(_ axes: [Int], keepingDimensions: Bool = false) -> Tensor {
    let reduced = resolve(axes)
    let kept = shape.reducing(reduced)
    let storage = reduce(.sum, self, over: reduced)
    let result = record(storage, kept, .sum(axes: reduced.sorted()), from: [self]) { [shape] in
      [$0.gradient.broadcast(to: shape)]
    }
    return keepingDimensions ? result : result.dropping(axes)
  }

  /// Mean over `axes`, all of them when the list is empty.
  public func mean(_ axes: [Int], keepingDimensions: Bool = false) -> Tensor {
    let count = resolve(axes).reduce(1) { $0 * shape.sizes[$1] }
    return sum(axes, keepingDimensions: keepingDimensions) * (1 / Float(count))
  }

  /// Largest element over `axes`, all of them when the list is empty; ties share the gradient
  /// equally.
  public func max(_ axes: [Int], keepingDimensions: Bool = false) -> Tensor {
    let reduced = resolve(axes)
    let kept = shape.reducing(reduced)
    let storage = reduce(.maximum, self, over: reduced)
    let x = detached
    let result = record(
      storage, kept, .max(axes: reduced.sorted()), from: [self], keepingOutput: true
    ) { pull in
      let isLargest = equal(x, pull.output)
      let share = isLargest / isLargest.sum(axes, keepingDimensions: true)
      return [pull.gradient * share]
    }
    return keepingDimensions ? result : result.dropping(axes)
  }

  /// The adjoint of broadcasting: sums over the axes that were repeated.
  func summed(to target: Shape) -> Tensor {
    guard target != shape else { return self }
    let repeated = shape.sizes.indices.filter {
      target.size($0, ofRank: shape.rank) == 1 && shape.sizes[$0] != 1
    }
    let result = repeated.isEmpty ? self : sum(repeated, keepingDimensions: true)
    return result.reshaped(to: target)
  }

  /// The same values repeated along axes of size 1.
  public func broadcast(to target: Shape) -> Tensor {
    guard target != shape else { return self }
    require(
      Shape.broadcast(shape, target, "broadcast") == target, "broadcast: \(shape) to \(target)")
    return self * Tensor(filledWith: 1, shape: target)
  }

  private func resolve(_ axes: [Int]) -> Set<Int> {
    Set(axes.isEmpty ? Array(0..<shape.rank) : axes.map(shape.resolve))
  }

  private func dropping(_ axes: [Int]) -> Tensor {
    let reduced = resolve(axes)
    return reshaped(
      to: Shape(shape.sizes.indices.filter { !reduced.contains($0) }.map { shape.sizes[$0] }))
  }
}

/// Reduces one group of neighbouring axes after another, the last group first.
private func reduce(_ op: LatheKernels.Reduction, _ x: Tensor, over axes: Set<Int>) -> Storage {
  var sizes = x.shape.sizes
  var storage = x.storage
  var end = sizes.count
  while end > 0 {
    guard axes.contains(end - 1) else {
      end -= 1
      continue
    }
    var start = end - 1
    while start > 0, axes.contains(start - 1) { start -= 1 }
    let outer = sizes[..<start].reduce(1, *)
    let inner = sizes[end...].reduce(1, *)
    let result = Storage(count: outer * inner)
    Profile.measure(.reduction) {
      LatheKernels.reduce(
        op, storage.pointer, outer: outer, reduced: sizes[start..<end].reduce(1, *), inner: inner,
        result.pointer)
    }
    for axis in start..<end { sizes[axis] = 1 }
    storage = result
    end = start
  }
  return storage
}
