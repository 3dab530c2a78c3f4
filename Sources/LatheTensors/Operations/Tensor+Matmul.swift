import LatheFiles
import LatheKernels

/// op(a) · op(b), where op transposes when asked.
///
/// Shapes: `[m, k]` · `[k, n]` → `[m, n]`, each operand's sizes exchanged when it is transposed.
public func matmul(
  _ a: Tensor, _ b: Tensor, transposeFirst: Bool = false, transposeSecond: Bool = false
) -> Tensor {
  matmul(a, b, transposeFirst, transposeSecond, Matmul.precision) {
    GradientTarget(storage: Storage(count: $0))
  }
}

private func matmul(
  _ a: Tensor, _ b: Tensor, _ ta: Bool, _ tb: Bool, _ precision: Precision,
  into target: (Int) -> GradientTarget
) -> Tensor {
  require(
    a.shape.rank == 2 && b.shape.rank == 2, "matmul: \(a.shape) × \(b.shape), not matrices")
  let (m, k) = (a.shape[ta ? 1 : 0], a.shape[ta ? 0 : 1])
  let (inner, n) = (b.shape[tb ? 1 : 0], b.shape[tb ? 0 : 1])
  require(
    k == inner,
    "matmul: \(a.shape)\(ta ? "ᵀ" : "") × \(b.shape)\(tb ? "ᵀ" : ""), inner sizes differ")
  let target = target(m * n)
  let storage = target.storage
  Profile.measure(.matmul, operations: 2 * m * n * k) {
    LatheKernels.gemm(
      a.pointer, transposed: ta, b.pointer, transposed: tb, storage.pointer, m: m, n: n, k: k,
      accumulate: target.adds, precision: precision)
  }
  let kept = KeptOperand(a)
  return record(
    storage, [m, n], .matmul(transposeFirst: ta, transposeSecond: tb), from: [a, b]
  ) { pull in
    let g = pull.gradient
    let second = pull(1) {
      let a = kept.tensor
      return tb
        ? matmul(g, a, true, ta, precision) { pull.target(1, count: $0) }
        : matmul(a, g, !ta, false, precision) { pull.target(1, count: $0) }
    }
    let first = pull(0) {
      ta
        ? matmul(b, g, tb, true, precision) { _ in pull.target(0, replacing: kept) }
        : matmul(g, b, false, !tb, precision) { _ in pull.target(0, replacing: kept) }
    }
    return [first, second]
  }
}
