import LatheTensors

/// Derivatives of every output with respect to every input at one point, by central differences:
/// `[output][input]`.
func jacobian(_ function: (Tensor) -> Tensor, at x: [Float]) -> [[Double]] {
  let step: Float = 1 / 256
  let columns = x.indices.map { input in
    func shifted(_ shift: Float) -> [Float] {
      var moved = x
      moved[input] += shift
      return function(Tensor(moved, shape: [1, x.count])).values
    }
    return zip(shifted(step), shifted(-step)).map { (Double($0) - Double($1)) / Double(2 * step) }
  }
  return columns[0].indices.map { output in columns.map { $0[output] } }
}

func determinant(_ matrix: [[Double]]) -> Double {
  guard matrix.count > 1 else { return matrix[0][0] }
  return matrix.indices.reduce(0) { sum, column in
    let minor = matrix.dropFirst().map { row in
      row.enumerated().filter { $0.offset != column }.map(\.element)
    }
    return sum + (column % 2 == 0 ? 1 : -1) * matrix[0][column] * determinant(minor)
  }
}
