import Glibc
import LatheKernels

/// KL(P‖Q) with qᵢⱼ = wᵢⱼ/Z, wᵢⱼ = 1/(1 + |yᵢ − yⱼ|²), Z the sum of all w.
///
/// van der Maaten, Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008, Eqs. 2, 4 and 5.
package struct TSNEObjective: Sendable {
  let affinities: Affinities

  package init(_ affinities: Affinities) { self.affinities = affinities }

  /// 4 Σⱼ (e pᵢⱼ − qᵢⱼ) wᵢⱼ (yᵢ − yⱼ) for each i, e being the exaggeration.
  package func gradient(
    _ x: [Float], _ y: [Float], exaggeration: Float
  ) -> (x: [Float], y: [Float]) {
    let forces = studentForces(affinities.values, stride: affinities.stride, x, y)
    let sum = Float(forces.reduce(0.0) { $0 + Double($1.weight) })
    return (
      forces.map { 4 * (exaggeration * $0.pull.x - $0.push.x / sum) },
      forces.map { 4 * (exaggeration * $0.pull.y - $0.push.y / sum) }
    )
  }

  /// In nats.
  package func divergence(_ x: [Float], _ y: [Float]) -> Double {
    let n = affinities.count
    var (entropy, cross, sum) = (0.0, 0.0, 0.0)
    for i in 0..<n {
      for j in 0..<n where j != i {
        let (dx, dy) = (Double(x[i]) - Double(x[j]), Double(y[i]) - Double(y[j]))
        let distance = 1 + dx * dx + dy * dy
        let p = Double(affinities[i, j])
        entropy += p * log(p)
        cross += p * log(distance)
        sum += 1 / distance
      }
    }
    let total = affinities.values.reduce(0.0) { $0 + Double($1) }
    return entropy + cross + total * log(sum)
  }
}
