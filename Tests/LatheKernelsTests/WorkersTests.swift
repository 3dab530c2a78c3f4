import LatheKernels
import Synchronization
import Testing

/// A piece of work on large inputs, and the bits it gives.
private struct Job: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let bits: @Sendable () -> [UInt32]

  init(_ name: String, _ count: Int, _ run: @escaping @Sendable (MutableFloats) -> Void) {
    testDescription = name
    bits = { written(count, run).map(\.bitPattern) }
  }
}

private let x = Numbers.array(400_000, seed: 1)
private let w = Numbers.array(400_000, seed: 2)

private func convolutionJobs(
  _ name: String, _ g: ConvolutionGeometry, _ precision: Precision = .float32
) -> [Job] {
  let (input, output) = (Numbers.array(g.inputCount), Numbers.array(g.outputCount))
  return [
    Job("conv2d \(name)", g.outputCount) { conv2d(input, w, $0, g, precision: precision) },
    Job("convTranspose2d \(name)", g.inputCount) {
      convTranspose2d(output, w, $0, g, precision: precision)
    },
    Job("weight gradient \(name)", g.weightCount) {
      conv2dWeightGradient(input, output, $0, g, accumulate: false, precision: precision)
    },
  ]
}

private func productJobs(_ m: Int, _ n: Int, _ k: Int) -> [Job] {
  Precision.allCases.flatMap { precision in
    [(false, false), (false, true), (true, false), (true, true)].map { (a, b) in
      Job("product \(m) × \(n) × \(k), \(a) \(b) \(precision)", m * n) {
        gemm(
          x, transposed: a, w, transposed: b, $0, m: m, n: n, k: k, accumulate: false,
          precision: precision)
      }
    }
  }
}

private func normalizationJobs(rows: Int, channels: Int) -> [Job] {
  let count = rows * channels
  return [
    Job("batch norm \(rows) × \(channels)", count) { y in
      var terms = [Float](repeating: 0, count: 3 * channels)
      terms.withUnsafeMutableBufferPointer {
        let terms = $0.baseAddress!
        batchNormalize(
          x, rows: rows, channels: channels, gamma: w, beta: w, epsilon: 1e-5, relu: true,
          mean: terms, variance: terms + channels, inverseStandardDeviation: terms + 2 * channels, y
        )
      }
    },
    Job("batch norm gradient \(rows) × \(channels)", count + 2 * channels) { y in
      batchNormalizeGradient(
        w, x, rectifiedBeta: w, rows: rows, channels: channels, gamma: w, mean: w,
        inverseStandardDeviation: w, dx: y, dGamma: y + count, dBeta: y + count + channels)
    },
  ]
}

private let jobs: [Job] =
  [
    Job("sigmoid", 400_000) { LatheKernels.map(.sigmoid, x, $0, count: 400_000) },
    Job("broadcast", 390_000) {
      combine(
        .add, x, rowStride: 3, columnStride: 1, w, rowStride: 0, columnStride: 1, $0, rows: 130_000,
        columns: 3)
    },
    Job("sum", 1) { reduce(.sum, x, outer: 1, reduced: 400_000, inner: 1, $0) },
    Job("column sums", 64) { reduce(.sum, x, outer: 1, reduced: 6250, inner: 64, $0) },
    Job("dot", 1) { $0[0] = dot(x, w, count: 400_000) },
    Job("transpose", 400_000) { permute(x, sizes: [500, 800], permutation: [1, 0], $0) },
    Job("product", 600 * 600) {
      gemm(
        x, transposed: false, w, transposed: true, $0, m: 600, n: 600, k: 600, accumulate: false)
    },
    Job("bias", 400_000) {
      addBias(x, w, rows: 6250, channels: 64, relu: true, $0)
    },
    Job("bias gradient", 400_064) {
      biasGradient(w, x, rows: 6250, channels: 64, dx: $0 + 64, dBias: $0)
    },
    Job("normal draws", 400_000) { randomNormal($0, count: 400_000, key: 5, offset: 17) },
    Job("adam", 400_000) { p in
      copyRows(x, stride: 0, p, stride: 0, rows: 1, length: 400_000)
      var (m, v) = (x, x.map { abs($0) })
      _ = adam(
        p, w, &m, &v, count: 400_000, learningRate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 1e-8,
        gradientScale: 1)
    },
  ]
  + convolutionJobs(
    "wide", .init(batch: 20, input: 16, channels: (32, 48), kernel: 4, stride: 2, padding: 1))
  + convolutionJobs(
    "long kernel", .init(batch: 10, input: 14, channels: (40, 48), kernel: 5, stride: 1, padding: 2)
  )
  + convolutionJobs(
    "few", .init(batch: 3, input: 8, channels: (64, 70), kernel: 4, stride: 2, padding: 1))
  + convolutionJobs(
    "few bfloat16", .init(batch: 3, input: 8, channels: (64, 70), kernel: 4, stride: 2, padding: 1),
    .bfloat16)
  + convolutionJobs(
    "wide bfloat16",
    .init(batch: 20, input: 16, channels: (32, 48), kernel: 4, stride: 2, padding: 1),
    .bfloat16)
  + convolutionJobs(
    "last bfloat16",
    .init(batch: 30, input: 32, channels: (16, 3), kernel: 3, stride: 1, padding: 1),
    .bfloat16)
  + productJobs(64, 600, 600) + productJobs(600, 300, 64)
  + convolutionJobs(
    "first", .init(batch: 30, input: 32, channels: (3, 16), kernel: 4, stride: 2, padding: 1))
  + convolutionJobs(
    "last", .init(batch: 30, input: 32, channels: (16, 3), kernel: 3, stride: 1, padding: 1))
  + normalizationJobs(rows: 6250, channels: 64) + normalizationJobs(rows: 130_000, channels: 3)
  + normalizationJobs(rows: 64, channels: 4096)

extension AllKernels {
  @Suite struct WorkersTests {
    @Test(arguments: jobs) fileprivate func bitsDoNotDependOnTheNumberOfThreads(_ job: Job) {
      var first: [UInt32] = []
      withWorkers([1, 2, 3]) { count in
        let bits = job.bits()
        if count == 1 { first = bits }
        #expect(bits == first, "\(count) threads")
      }
    }

    @Test func bitsDifferForOtherNumbers() {
      let plain = Job("sum", 1) { reduce(.sum, x, outer: 1, reduced: 1000, inner: 1, $0) }
      let other = Job("sum", 1) { reduce(.sum, w, outer: 1, reduced: 1000, inner: 1, $0) }
      #expect(plain.bits() != other.bits())
    }

    @Test func everyPieceRunsOnce() {
      withWorkers([1, 2, 4]) { count in
        #expect(Workers.count == count)
        for pieces in [0, 1, 2, 1000] {
          let runs = written(pieces) { y in
            fill(y, with: 0, count: pieces)
            Workers.forEach(pieces) { piece, _ in y[piece] += 1 }
          }
          #expect(runs.allSatisfy { $0 == 1 })
        }
      }
    }

    /// Each of two pieces waits until the other has begun, so they must run side by side.
    @Test func piecesRunOnSeveralThreads() {
      withWorkers([2]) { _ in
        let begun = Atomic(0)
        let workers = Atomic(0)
        Workers.forEach(2) { _, worker in
          workers.bitwiseOr(1 << worker, ordering: .relaxed)
          waitForAll(2, begun)
        }
        #expect(workers.load(ordering: .relaxed) == 3)
      }
    }

    @Test func nestedPiecesRunInline() {
      withWorkers([3]) { _ in
        let sum = Atomic(0)
        let strayed = Atomic(0)
        Workers.forEach(8) { _, outer in
          Workers.forEach(8) { piece, inner in
            sum.add(piece, ordering: .relaxed)
            if inner != outer { strayed.add(1, ordering: .relaxed) }
          }
        }
        #expect(sum.load(ordering: .relaxed) == 8 * 28)
        #expect(strayed.load(ordering: .relaxed) == 0)
      }
    }

    @Test func manyShortJobs() {
      withWorkers([2, 3]) { _ in
        let sum = Atomic(0)
        for _ in 0..<20_000 {
          Workers.forEach(3) { piece, _ in sum.add(piece, ordering: .relaxed) }
        }
        #expect(sum.load(ordering: .relaxed) == 60_000)
      }
    }
  }

  @Suite struct ProcessorTests {
    @Test func describesItself() {
      #expect(Processor.blasVersion.hasPrefix("OpenBLAS 0."))
      #expect(!Processor.blasCore.isEmpty)
      #expect(!Processor.instructionSet.isEmpty)
      let tiled = ["x86-64-v3", "x86-64-v4", "arm64"]
      #expect(Processor.usesTiles == tiled.contains(Processor.instructionSet))
      let paired = ["x86-64-v4", "arm64"]
      #expect(!Processor.hasBFloat16 || paired.contains(Processor.instructionSet))
    }

    /// GEMM reaches most of the peak and never more, so operations are counted alike.
    @Test func gemmStaysBelowTheMeasuredPeak() {
      let fastest = fastestGEMM()
      let peak = Processor.measuredPeak(seconds: 0.1)
      #expect(peak.isFinite && peak < 20 * fastest && fastest < 1.1 * peak)
    }

    /// GFLOP/s of the fastest of some GEMMs.
    private func fastestGEMM() -> Double {
      let size = 256
      let times = (0..<50).map { _ in
        ContinuousClock().measure {
          _ = written(size * size) {
            gemm(
              x, transposed: false, w, transposed: false, $0, m: size, n: size, k: size,
              accumulate: false)
          }
        }
      }
      return 2e-9 * Double(size * size * size) / (times.min()! / .seconds(1))
    }
  }
}
