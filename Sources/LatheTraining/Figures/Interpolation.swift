import LatheFiles
import Foundation
import LatheTensors

/// How one goes from one code to another.
public enum InterpolationPath: String, CaseIterable, Sendable, Codable {
  /// (1 − t) a + t b.
  case linear
  /// Along the great circle: (sin((1 − t)Ω) a + sin(tΩ) b) / sin Ω, Ω the angle between a and b.
  ///
  /// Shoemake, "Animating Rotation with Quaternion Curves", SIGGRAPH 1985, for codes of any length
  /// and norm. Where they point the same way or opposite ways, it is the line.
  case slerp

  /// The code at `t`, from `a` at 0 to `b` at 1.
  public func code(from a: [Float], to b: [Float], at t: Float) -> [Float] {
    require(a.count == b.count, "interpolation: codes of \(a.count) and \(b.count) numbers")
    let (one, other) = weights(a, b, Double(t))
    return zip(a, b).map { Float(one * Double($0) + other * Double($1)) }
  }

  private func weights(_ a: [Float], _ b: [Float], _ t: Double) -> (Double, Double) {
    guard self == .slerp else { return (1 - t, t) }
    let scale = (dot(a, a) * dot(b, b)).squareRoot()
    let cosine = scale > 0 ? min(1, max(-1, dot(a, b) / scale)) : 1
    let angle = acos(cosine)
    guard sin(angle) > 1e-6 else { return (1 - t, t) }
    return (sin((1 - t) * angle) / sin(angle), sin(t * angle) / sin(angle))
  }

  private func dot(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
}

extension Tensor {
  /// Its rows along the first axis.
  public var rows: [[Float]] {
    let all = values
    let count: Int = shape[0]
    let width: Int = count > 0 ? all.count / count : 0
    return (0..<count).map { (row: Int) -> [Float] in Array(all[row * width..<(row + 1) * width]) }
  }

  /// Rows of one length, `[rows, length]`.
  public init(rows: [[Float]]) {
    self.init(rows.flatMap { $0 }, shape: [rows.count, rows.first?.count ?? 0])
  }
}
