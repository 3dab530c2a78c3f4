import LatheKernels
import Testing

extension ConvolutionGeometry {
  /// Square sizes; the output side follows from kernel, stride and padding at the top and left,
  /// with at most as much padding at the bottom and right.
  init(
    batch: Int = 1, input: Int, channels: (Int, Int), kernel: Int, stride: Int, padding: Int,
    output: Int? = nil
  ) {
    let side = output ?? (input + 2 * padding - kernel) / stride + 1
    self.init(
      batch: batch, inputHeight: input, inputWidth: input, inputChannels: channels.0,
      outputHeight: side,
      outputWidth: side, outputChannels: channels.1, kernelHeight: kernel, kernelWidth: kernel,
      strideHeight: stride, strideWidth: stride, paddingTop: padding, paddingLeft: padding)
  }

  var inputCount: Int { batch * inputHeight * inputWidth * inputChannels }
  var outputCount: Int { batch * outputHeight * outputWidth * outputChannels }
  var weightCount: Int { kernelHeight * kernelWidth * inputChannels * outputChannels }

  /// Calls `body` with the index of each input number, weight and output number that belong
  /// together.
  func forEachTerm(_ body: (_ input: Int, _ weight: Int, _ output: Int) -> Void) {
    for n in 0..<batch {
      for i in 0..<outputHeight {
        for j in 0..<outputWidth {
          forEachTerm(of: (n, i, j), body)
        }
      }
    }
  }

  private func forEachTerm(of output: (Int, Int, Int), _ body: (Int, Int, Int) -> Void) {
    let (n, i, j) = output
    for a in 0..<kernelHeight {
      for b in 0..<kernelWidth {
        let (p, q) = (i * strideHeight - paddingTop + a, j * strideWidth - paddingLeft + b)
        guard 0..<inputHeight ~= p && 0..<inputWidth ~= q else { continue }
        for c in 0..<inputChannels {
          for o in 0..<outputChannels {
            body(
              ((n * inputHeight + p) * inputWidth + q) * inputChannels + c,
              ((a * kernelWidth + b) * inputChannels + c) * outputChannels + o,
              ((n * outputHeight + i) * outputWidth + j) * outputChannels + o)
          }
        }
      }
    }
  }
}

extension AllKernels {
  @Suite struct ConvolutionTests {
    static let geometries: [ConvolutionGeometry] = [
      .init(batch: 3, input: 8, channels: (5, 6), kernel: 3, stride: 1, padding: 1),
      .init(batch: 2, input: 9, channels: (16, 10), kernel: 4, stride: 2, padding: 1),
      .init(batch: 5, input: 16, channels: (8, 12), kernel: 4, stride: 2, padding: 1),
      .init(batch: 2, input: 7, channels: (6, 7), kernel: 5, stride: 1, padding: 2),
      .init(batch: 2, input: 7, channels: (6, 5), kernel: 7, stride: 3, padding: 3),
      .init(batch: 1, input: 11, channels: (7, 9), kernel: 2, stride: 3, padding: 0),
      .init(batch: 1, input: 7, channels: (33, 17), kernel: 3, stride: 2, padding: 0, output: 4),
      .init(batch: 2, input: 5, channels: (9, 8), kernel: 6, stride: 2, padding: 2),
      .init(batch: 3, input: 32, channels: (3, 16), kernel: 4, stride: 2, padding: 1),
      .init(batch: 3, input: 28, channels: (1, 10), kernel: 4, stride: 2, padding: 1),
      .init(batch: 2, input: 9, channels: (3, 5), kernel: 5, stride: 1, padding: 2),
      .init(batch: 2, input: 9, channels: (2, 5), kernel: 3, stride: 3, padding: 0),
      .init(batch: 2, input: 7, channels: (4, 9), kernel: 7, stride: 2, padding: 3),
      .init(batch: 3, input: 32, channels: (20, 3), kernel: 3, stride: 1, padding: 1),
      .init(batch: 9, input: 28, channels: (16, 1), kernel: 4, stride: 1, padding: 1, output: 28),
      .init(batch: 2, input: 7, channels: (8, 2), kernel: 5, stride: 1, padding: 4),
      .init(batch: 2, input: 6, channels: (12, 3), kernel: 3, stride: 1, padding: 0),
      .init(batch: 2, input: 8, channels: (12, 3), kernel: 4, stride: 2, padding: 1),
      .init(batch: 2, input: 6, channels: (12, 10), kernel: 1, stride: 1, padding: 0),
      .init(batch: 2, input: 6, channels: (12, 10), kernel: 1, stride: 2, padding: 0),
      .init(batch: 4, input: 4, channels: (12, 10), kernel: 4, stride: 1, padding: 0),
      .init(batch: 70, input: 7, channels: (30, 33), kernel: 4, stride: 1, padding: 1, output: 7),
      .init(batch: 40, input: 14, channels: (17, 35), kernel: 4, stride: 2, padding: 1),
      .init(batch: 3, input: 9, channels: (300, 20), kernel: 4, stride: 2, padding: 1),
      .init(batch: 2, input: 9, channels: (20, 18), kernel: 2, stride: 3, padding: 0, output: 3),
      .init(batch: 2, input: 9, channels: (17, 16), kernel: 3, stride: 2, padding: 3, output: 6),
      .init(batch: 1, input: 7, channels: (18, 23), kernel: 7, stride: 1, padding: 3),
      .init(batch: 5, input: 7, channels: (37, 50), kernel: 3, stride: 3, padding: 1),
      .init(batch: 1, input: 13, channels: (21, 41), kernel: 6, stride: 3, padding: 2),
      .init(batch: 7, input: 10, channels: (270, 19), kernel: 5, stride: 2, padding: 2),
      .init(batch: 1, input: 6, channels: (19, 150), kernel: 3, stride: 1, padding: 1),
      .init(batch: 1, input: 1, channels: (1, 1), kernel: 1, stride: 1, padding: 0),
      .init(batch: 2, input: 2, channels: (5, 6), kernel: 3, stride: 1, padding: 1),
      ConvolutionGeometry(
        batch: 2, inputHeight: 6, inputWidth: 11, inputChannels: 5, outputHeight: 3, outputWidth: 4,
        outputChannels: 6, kernelHeight: 2, kernelWidth: 5, strideHeight: 2, strideWidth: 3,
        paddingTop: 0, paddingLeft: 2),
      ConvolutionGeometry(
        batch: 2, inputHeight: 6, inputWidth: 11, inputChannels: 9, outputHeight: 7, outputWidth: 9,
        outputChannels: 2, kernelHeight: 2, kernelWidth: 5, strideHeight: 1, strideWidth: 1,
        paddingTop: 1, paddingLeft: 1),
    ]

    /// Where the Winograd convolution is chosen: whole tiles and cut off ones, kernels that the
    /// stride divides and not, more channels than one call takes, pixels that no tile sees, kernels
    /// of several groups of taps, one axis only, oblong kernels and strides.
    static let winograd: [ConvolutionGeometry] = [
      .init(batch: 3, input: 16, channels: (32, 40), kernel: 4, stride: 2, padding: 1),
      .init(batch: 2, input: 14, channels: (40, 33), kernel: 4, stride: 2, padding: 1),
      .init(batch: 2, input: 13, channels: (33, 34), kernel: 3, stride: 1, padding: 1),
      .init(batch: 2, input: 9, channels: (35, 70), kernel: 3, stride: 1, padding: 0),
      .init(batch: 2, input: 15, channels: (32, 32), kernel: 5, stride: 2, padding: 2, output: 8),
      .init(batch: 1, input: 17, channels: (36, 32), kernel: 3, stride: 2, padding: 0),
      .init(batch: 1, input: 25, channels: (32, 48), kernel: 6, stride: 3, padding: 2),
      .init(batch: 1, input: 31, channels: (32, 36), kernel: 2, stride: 1, padding: 0),
      .init(batch: 1, input: 12, channels: (32, 1100), kernel: 2, stride: 1, padding: 0, output: 8),
      .init(batch: 2, input: 9, channels: (33, 34), kernel: 5, stride: 1, padding: 2),
      .init(batch: 1, input: 13, channels: (32, 35), kernel: 7, stride: 1, padding: 3),
      .init(batch: 2, input: 16, channels: (34, 32), kernel: 7, stride: 2, padding: 3),
      line(batch: 2, height: 7, width: 11, channels: (33, 36), kernel: (1, 7)),
      line(batch: 3, height: 17, width: 6, channels: (36, 32), kernel: (7, 1)),
      line(batch: 2, height: 4, width: 13, channels: (300, 40), kernel: (1, 3)),
      line(batch: 2, height: 9, width: 12, channels: (32, 33), kernel: (3, 5)),
      ConvolutionGeometry(
        batch: 2, inputHeight: 12, inputWidth: 17, inputChannels: 33, outputHeight: 12,
        outputWidth: 8,
        outputChannels: 34, kernelHeight: 2, kernelWidth: 4, strideHeight: 1, strideWidth: 2,
        paddingTop: 1, paddingLeft: 1),
    ]

    /// A kernel along one axis at stride 1, and zeros that keep the size.
    private static func line(
      batch: Int, height: Int, width: Int, channels: (input: Int, output: Int),
      kernel: (height: Int, width: Int)
    ) -> ConvolutionGeometry {
      ConvolutionGeometry(
        batch: batch, inputHeight: height, inputWidth: width, inputChannels: channels.input,
        outputHeight: height, outputWidth: width, outputChannels: channels.output,
        kernelHeight: kernel.height, kernelWidth: kernel.width, strideHeight: 1, strideWidth: 1,
        paddingTop: kernel.height / 2, paddingLeft: kernel.width / 2)
    }

    /// Sums of whole numbers are whole, except in the Winograd convolution, which `winograd` take
    /// and no others. bf16 pairs take it where they fill the input channels.
    @Test(.enabled(if: Processor.usesTiles), arguments: geometries + winograd, Precision.allCases)
    func winogradIsChosen(_ g: ConvolutionGeometry, _ precision: Precision) {
      let input = Numbers.array(g.inputCount, seed: 1).map { (4 * $0).rounded() }
      let weights = Numbers.array(g.weightCount, seed: 2).map { (4 * $0).rounded() }
      let output = written(g.outputCount) { conv2d(input, weights, $0, g, precision: precision) }
      let inPairs = precision == .bfloat16 && Processor.hasBFloat16
      let expected = Self.winograd.contains(g) && !(inPairs && g.inputChannels % 2 == 1)
      #expect(output.contains { $0 != $0.rounded() } == expected)
    }

    /// Of the largest number. Winograd convolution rounds 2.5 times as much.
    private func tolerance(_ g: ConvolutionGeometry) -> Double {
      Self.winograd.contains(g) ? 3e-6 : 1e-6
    }

    /// Images and weights for `winograd` in bfloat16: whole numbers that stay what they are in the
    /// Winograd domain of a tile, where numbers are rounded once more.
    private func operand(
      _ count: Int, seed: UInt64, _ g: ConvolutionGeometry, _ precision: Precision, unit: Float = 1
    ) -> [Float] {
      let numbers = Numbers.array(count, seed: seed)
      guard Self.winograd.contains(g) && precision == .bfloat16 else { return numbers }
      return numbers.map { unit * (1.4 * $0).rounded() }
    }

    /// The fractions of the filter transform are ninths along an axis.
    private func weights(_ g: ConvolutionGeometry, _ precision: Precision) -> [Float] {
      operand(g.weightCount, seed: 2, g, precision, unit: 81)
    }

    @Test(arguments: geometries + winograd, Precision.allCases)
    func conv2dAgreesWithReference(_ g: ConvolutionGeometry, _ precision: Precision) {
      let input = operand(g.inputCount, seed: 1, g, precision)
      let weights = weights(g, precision)
      let (a, b) = (input.rounded(to: precision), weights.rounded(to: precision))
      var expected = [Double](repeating: 0, count: g.outputCount)
      g.forEachTerm { expected[$2] += Double(a[$0]) * Double(b[$1]) }
      withAndWithoutTiles { usesTiles in
        let found = written(g.outputCount) {
          conv2d(input, weights, $0, g, precision: precision, usesTiles: usesTiles)
        }
        #expect(worstError(found, expected) < tolerance(g))
      }
    }

    @Test(arguments: geometries + winograd, Precision.allCases)
    func transposedAgreesWithReference(_ g: ConvolutionGeometry, _ precision: Precision) {
      let output = operand(g.outputCount, seed: 1, g, precision)
      let weights = weights(g, precision)
      let (a, b) = (output.rounded(to: precision), weights.rounded(to: precision))
      var expected = [Double](repeating: 0, count: g.inputCount)
      g.forEachTerm { expected[$0] += Double(a[$2]) * Double(b[$1]) }
      withAndWithoutTiles { usesTiles in
        let found = written(g.inputCount) {
          convTranspose2d(output, weights, $0, g, precision: precision, usesTiles: usesTiles)
        }
        #expect(worstError(found, expected) < tolerance(g))
      }
    }

    @Test(arguments: geometries + winograd, Precision.allCases)
    func weightGradientAgreesWithReference(_ g: ConvolutionGeometry, _ precision: Precision) {
      let input = operand(g.inputCount, seed: 1, g, precision)
      let output = operand(g.outputCount, seed: 2, g, precision)
      let before = Numbers.array(g.weightCount, seed: 3)
      let (a, b) = (input.rounded(to: precision), output.rounded(to: precision))
      var terms = [Double](repeating: 0, count: g.weightCount)
      g.forEachTerm { terms[$1] += Double(a[$0]) * Double(b[$2]) }
      for accumulate in [false, true] {
        let expected = accumulate ? zip(terms, before).map { $0 + Double($1) } : terms
        withAndWithoutTiles { usesTiles in
          let found = written(g.weightCount) { y in
            if accumulate { for i in before.indices { y[i] = before[i] } }
            conv2dWeightGradient(
              input, output, y, g, accumulate: accumulate, precision: precision,
              usesTiles: usesTiles)
          }
          #expect(worstError(found, expected) < 2e-6)
        }
      }
    }

    /// In bfloat16, elements of the Winograd domain are rounded, which changes results more than
    /// rounding the operands does.
    @Test(.enabled(if: Processor.usesTiles), arguments: winograd)
    func winogradRoundsLittle(_ g: ConvolutionGeometry) {
      let input = Numbers.array(g.inputCount, seed: 1)
      let weights = Numbers.array(g.weightCount, seed: 2)
      let exact = written(g.outputCount) { conv2d(input, weights, $0, g) }
      let found = written(g.outputCount) { conv2d(input, weights, $0, g, precision: .bfloat16) }
      let (error, size) = (product(zip(found, exact).map(-)), product(exact))
      #expect((error / size).squareRoot() < 0.012)
    }

    /// ⟨conv2d(x), y⟩ = ⟨x, convTranspose2d(y)⟩ = ⟨w, weight gradient of (x, y)⟩ at the size
    /// of real layers.
    @Test(arguments: [
      ConvolutionGeometry(
        batch: 16, input: 16, channels: (64, 128), kernel: 4, stride: 2, padding: 1),
      .init(batch: 16, input: 32, channels: (3, 64), kernel: 4, stride: 2, padding: 1),
      .init(batch: 16, input: 32, channels: (64, 3), kernel: 3, stride: 1, padding: 1),
      .init(batch: 64, input: 7, channels: (130, 70), kernel: 5, stride: 2, padding: 2),
      .init(batch: 40, input: 32, channels: (64, 80), kernel: 4, stride: 2, padding: 1),
    ])
    func adjointsAgree(_ g: ConvolutionGeometry) {
      let x = Numbers.array(g.inputCount, seed: 1)
      let y = Numbers.array(g.outputCount, seed: 2)
      let w = Numbers.array(g.weightCount, seed: 3)
      let forward = product(written(g.outputCount) { conv2d(x, w, $0, g) }, y)
      let backward = product(x, written(g.inputCount) { convTranspose2d(y, w, $0, g) })
      let gradient = written(g.weightCount) {
        conv2dWeightGradient(x, y, $0, g, accumulate: false)
      }
      let size = (Double(g.inputCount) * product(y, y)).squareRoot()
      #expect(abs(forward - backward) < 1e-6 * size)
      #expect(abs(forward - product(w, gradient)) < 1e-6 * size)
    }

    /// Layers whose channels come in several groups, and their weights in several shares: by tiles
    /// with Winograd convolution and by OpenBLAS.
    @Test func wideLayersAgreeWithOpenBLAS() {
      let g = ConvolutionGeometry(
        batch: 2, input: 16, channels: (300, 600), kernel: 4, stride: 2, padding: 1)
      let x = Numbers.array(g.inputCount, seed: 1)
      let y = Numbers.array(g.outputCount, seed: 2)
      let w = Numbers.array(g.weightCount, seed: 3)
      var found: [[[Float]]] = []
      withAndWithoutTiles { usesTiles in
        found.append([
          written(g.outputCount) { conv2d(x, w, $0, g, usesTiles: usesTiles) },
          written(g.inputCount) { convTranspose2d(y, w, $0, g, usesTiles: usesTiles) },
          written(g.weightCount) {
            conv2dWeightGradient(x, y, $0, g, accumulate: false, usesTiles: usesTiles)
          },
        ])
      }
      for (tiles, openBLAS) in zip(found[0], found[1]) {
        #expect(worstError(tiles, doubles(openBLAS)) < 3e-6)
      }
    }

    private func product(_ a: [Float]) -> Double { product(a, a) }

    private func product(_ a: [Float], _ b: [Float]) -> Double {
      zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    @Test func emptyBatchWritesNothingButTheWeights() {
      let g = ConvolutionGeometry(
        batch: 0, input: 8, channels: (3, 4), kernel: 3, stride: 1, padding: 1)
      let found = written(g.weightCount) {
        conv2dWeightGradient([], [], $0, g, accumulate: false)
      }
      #expect(found.allSatisfy { $0 == 0 })
    }
  }
}
