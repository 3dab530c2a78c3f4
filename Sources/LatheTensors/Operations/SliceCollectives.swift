import LatheFiles
import LatheKernels

// Collectives over the slices of a batch, as operations.
//
// Let slice s hold x_s and a loss ℓ_s; what is minimised is the mean of all ℓ_s. An operation that
// gives every slice something made of all x_t is a linear map from the pile of all x to the pile of
// all results, and its gradient is the transposed map: gathering gives each slice the rows of all,
// so a slice's gradient is the sum over all slices of what flows back to its rows; summing over
// slices is its own transpose. Rules are operations again, so gradients of gradients are those of
// the global batch as well.

/// The slices of one batch, as one of them sees the others.
///
/// Every slice runs the same operations in the same order, and calls the same collectives with the
/// same counts.
public protocol SliceCollectives: AnyObject, Sendable {
  /// S, the number of slices of the batch.
  var slices: Int { get }
  /// The number of the slice that runs now.
  var slice: Int { get }
  /// Every slice's `count` values, one slice behind the other, for each slice.
  func allGather(_ values: UnsafePointer<Float>, count: Int, into all: UnsafeMutablePointer<Float>)
  /// The sum of all slices' values in the order of the fixed tree, for each slice; `values` may be
  /// `sum`.
  func allReduce(_ values: UnsafePointer<Float>, count: Int, into sum: UnsafeMutablePointer<Float>)
}

/// Batch statistics that are synchronized over all slices, as in PyTorch's `SyncBatchNorm`: they
/// are those of the global batch.
public enum SynchronizedStatistics {
  /// Collectives over all slices; nil when a slice is a batch of its own.
  @TaskLocal public static var collectives: (any SliceCollectives)?
}

/// The rows of all slices, slice after slice, where statistics are those of the global batch;
/// otherwise `x` itself.
///
/// Shapes: `[N, …]` → `[S N, …]`. The gradient of a slice's rows is the sum over all slices'
/// losses.
public func gatheredOverSlices(_ x: Tensor) -> Tensor {
  guard let collectives = SynchronizedStatistics.collectives else { return x }
  let storage = Storage(count: collectives.slices * x.shape.count)
  Profile.measure(.exchange) {
    collectives.allGather(x.pointer, count: x.shape.count, into: storage.pointer)
  }
  let shape = x.shape.replacing(0, by: collectives.slices * x.shape[0])
  return record(storage, shape, .other("gatheredOverSlices"), from: [x]) { pull in
    [ownRows(of: summedOverSlices(pull.gradient))]
  }
}

/// This slice's rows of what was gathered, where statistics are those of the global batch;
/// otherwise `x` itself.
///
/// Shapes: `[S N, …]` → `[N, …]`.
public func ownRows(of x: Tensor) -> Tensor {
  guard let collectives = SynchronizedStatistics.collectives else { return x }
  require(
    x.shape[0] % collectives.slices == 0,
    "ownRows: \(x.shape) is not of \(collectives.slices) slices")
  let rows = x.shape[0] / collectives.slices
  return x.slice(collectives.slice * rows..<(collectives.slice + 1) * rows, axis: 0)
}

/// The sum of all slices' tensors where statistics are those of the global batch; otherwise `x`
/// itself.
public func summedOverSlices(_ x: Tensor) -> Tensor {
  guard let collectives = SynchronizedStatistics.collectives else { return x }
  let storage = Storage(count: x.shape.count)
  Profile.measure(.exchange) {
    collectives.allReduce(x.pointer, count: x.shape.count, into: storage.pointer)
  }
  return record(storage, x.shape, .other("summedOverSlices"), from: [x]) {
    [summedOverSlices($0.gradient)]
  }
}

/// The mean of all slices' tensors where statistics are those of the global batch; otherwise `x`
/// itself.
public func averagedOverSlices(_ x: Tensor) -> Tensor {
  guard let collectives = SynchronizedStatistics.collectives else { return x }
  return summedOverSlices(x) * (1 / Float(collectives.slices))
}

extension SliceCollectives {
  /// Turns a slice's moments into those of the global batch; slices have the same number of rows.
  ///
  /// Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
  /// Variances", 1979; in double precision and in the order of the slices.
  func join(mean: Storage, variance: Storage) {
    let channels = mean.count
    let own = Storage(count: 2 * channels)
    own.pointer.update(from: mean.pointer, count: channels)
    (own.pointer + channels).update(from: variance.pointer, count: channels)
    let all = Storage(count: slices * own.count)
    allGather(own.pointer, count: own.count, into: all.pointer)
    for c in 0..<channels {
      let means = (0..<slices).map { Double(all.pointer[$0 * own.count + c]) }
      let centre = means.reduce(0, +) / Double(slices)
      let squares = (0..<slices).reduce(0.0) {
        let deviation = means[$1] - centre
        return $0 + Double(all.pointer[$1 * own.count + channels + c]) + deviation * deviation
      }
      mean.pointer[c] = Float(centre)
      variance.pointer[c] = Float(squares / Double(slices))
    }
  }
}
