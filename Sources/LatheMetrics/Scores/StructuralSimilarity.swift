import LatheFiles
import LatheNN
import LatheData
import Glibc
import LatheKernels
import LatheTensors

/// Structural similarity (SSIM) of images with values in [0, 1].
///
/// Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment: From Error Visibility to Structural
/// Similarity", IEEE Transactions on Image Processing 13, 2004, Eq. 13: a Gaussian window of 11×11
/// with σ = 1.5, K₁ = 0.01, K₂ = 0.03, the mean over all places where the window lies whole in the
/// image; colour images channel by channel, then the mean.
public struct StructuralSimilarity: Sendable {
  /// Of one image; interleaved channels.
  public let shape: ImageShape
  private static let radius = 5
  private static let window = gaussian()

  /// - Throws: `ScoreError.tooFew` for images smaller than the window.
  public init(shape: ImageShape) throws(ScoreError) {
    let side = min(shape.height, shape.width)
    let needed = 2 * Self.radius + 1
    if side < needed {
      throw .tooFew("pixels across for structural similarity", needed: needed, found: side)
    }
    self.shape = shape
  }

  /// The similarity of each image to the one at the same place; 1 for equal images.
  ///
  /// Shapes: both `[count, height, width, channels]`.
  public func callAsFunction(_ images: [Float], _ others: [Float]) -> [Double] {
    require(
      images.count == others.count && images.count.isMultiple(of: shape.count),
      "StructuralSimilarity: \(images.count) and \(others.count) values for images of \(shape)")
    let count = images.count / shape.count
    return [Double](unsafeUninitializedCapacity: count) { buffer, filled in
      nonisolated(unsafe) let target = buffer.baseAddress
      Workers.forEach(count) { image, _ in
        target?.advanced(by: image).initialize(to: similarity(images, others, of: image))
      }
      filled = count
    }
  }

  private func similarity(_ images: [Float], _ others: [Float], of image: Int) -> Double {
    let channels = (0..<shape.channels).map { channel in
      let first = image * shape.count + channel
      return similarity(plane(images, from: first), plane(others, from: first))
    }
    return channels.reduce(0, +) / Double(channels.count)
  }

  private func plane(_ images: [Float], from first: Int) -> [Double] {
    (0..<shape.height * shape.width).map { Double(images[first + $0 * shape.channels]) }
  }

  /// Of two planes of one channel.
  private func similarity(_ x: [Double], _ y: [Double]) -> Double {
    let (meanX, meanY) = (filtered(x), filtered(y))
    let squareX = filtered(zip(x, x).map(*))
    let squareY = filtered(zip(y, y).map(*))
    let product = filtered(zip(x, y).map(*))
    let (c1, c2) = (0.01 * 0.01, 0.03 * 0.03)
    let sum = meanX.indices.reduce(0.0) { sum, i in
      let (mx, my) = (meanX[i], meanY[i])
      let (vx, vy, covariance) = (squareX[i] - mx * mx, squareY[i] - my * my, product[i] - mx * my)
      let likeness = (2 * mx * my + c1) * (2 * covariance + c2)
      return sum + likeness / ((mx * mx + my * my + c1) * (vx + vy + c2))
    }
    return sum / Double(meanX.count)
  }

  /// Window means of a plane, along rows and then along columns: `[height − 10, width − 10]`.
  private func filtered(_ plane: [Double]) -> [Double] {
    let (taps, width) = (Self.window.count, shape.width)
    let (outHeight, outWidth) = (shape.height - taps + 1, width - taps + 1)
    var rows = [Double](repeating: 0, count: shape.height * outWidth)
    for y in 0..<shape.height {
      for (tap, weight) in Self.window.enumerated() {
        addScaled(plane, y * width + tap, weight, to: &rows, y * outWidth, count: outWidth)
      }
    }
    var result = [Double](repeating: 0, count: outHeight * outWidth)
    for (tap, weight) in Self.window.enumerated() {
      addScaled(rows, tap * outWidth, weight, to: &result, 0, count: result.count)
    }
    return result
  }

  private func addScaled(
    _ source: [Double], _ from: Int, _ weight: Double, to target: inout [Double], _ at: Int,
    count: Int
  ) {
    source.withUnsafeBufferPointer { source in
      target.withUnsafeMutableBufferPointer { target in
        for i in 0..<count { target[at + i] += weight * source[from + i] }
      }
    }
  }

  private static func gaussian() -> [Double] {
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }
}
