import LatheFiles
internal import CKernels

/// What one point of a plane weighs, and how others pull and push it.
public struct StudentForces: Sendable {
  /// Σⱼ wᵢⱼ over the others, with wᵢⱼ = 1/(1 + |i − j|²).
  public var weight: Float
  /// Σⱼ pᵢⱼ wᵢⱼ (i − j).
  public var pull: (x: Float, y: Float)
  /// Σⱼ wᵢⱼ² (i − j).
  public var push: (x: Float, y: Float)
}

/// Floats from one row of affinities to the next for `count` points.
public func studentStride(_ count: Int) -> Int {
  let lanes = Int(CK_FORCE_LANES)
  return (count + lanes - 1) / lanes * lanes
}

/// The forces on each point.
///
/// Shapes: x and y `[points]`, p `[points, stride]`, 0 beyond the points.
public func studentForces(_ p: [Float], stride: Int, _ x: [Float], _ y: [Float]) -> [StudentForces]
{
  let n = x.count
  require(
    y.count == n && stride == studentStride(n) && p.count == n * stride,
    "studentForces: \(n) and \(y.count) coordinates, \(p.count) affinities, stride \(stride)")
  let outside = [Float](repeating: 1e15, count: stride - n)  // its squared distance is finite
  let (x, y) = (x + outside, y + outside)
  return [StudentForces](unsafeUninitializedCapacity: n) { forces, count in
    nonisolated(unsafe) let target = forces
    forEachRows(n, of: stride) { rows in
      for i in rows {
        let sums = withUnsafeTemporaryAllocation(of: Float.self, capacity: 5) { sums in
          p.withUnsafeBufferPointer {
            ck_student_forces($0.baseAddress! + i * stride, x, y, i, stride, sums.baseAddress!)
          }
          return StudentForces(weight: sums[0], pull: (sums[1], sums[2]), push: (sums[3], sums[4]))
        }
        target.initializeElement(at: i, to: sums)
      }
    }
    count = n
  }
}
