import ArgumentParser
import Foundation
import LatheKernels
import LatheTensors

struct BenchKernels: RootCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Times products and convolutions of the networks, layer by layer, in all directions.",
    usage: "lathe bench kernels [options]",
    discussion: """
      One rank, GF/s and % of the measured peak of a core for each layer's forward pass, the \
      gradient of its input (dX) and of its weights (dW), everything included.
        lathe bench kernels --batch 128 --precision bfloat16
      """)

  @Option(help: "Images in the batch.")
  var batch = 64

  @Option(help: "Threads.")
  var threads = 1

  @Option(help: "float32, or bfloat16 for the operands of GEMMs and convolutions.")
  var precision = Precision.float32

  @Option(help: "Only layers with this in their name.")
  var layer = ""

  @Option(help: "Seconds for each layer and direction.")
  var seconds = 0.2

  func validate() throws {
    try check("--batch", batch, in: 1...100_000)
    try check("--threads", threads, in: 1...256)
    try check("--seconds", seconds, in: 0.001...1000)
  }

  func run() throws {
    Workers.setCount(threads)
    let peak = Processor.measuredPeak(seconds: 0.5)
    print(
      "\(Processor.instructionSet), OpenBLAS core \(Processor.blasCore), batch \(batch), "
        + "\(counted(threads, "thread")), \(precision.rawValue); "
        + "peak of a core \(Int(peak)) GF/s float32"
    )
    print(row("layer", "forward", "dX", "dW"))
    for layer in BenchLayer.all where self.layer.isEmpty || layer.name.contains(self.layer) {
      let measured = layer.measure(batch: batch, precision: precision, seconds: seconds)
      let texts = measured.map { String(format: "%4.0f (%2.0f %%)", $0, $0 / peak * 100) }
      print(row(layer.name, texts[0], texts[1], texts[2]))
    }
  }

  private func row(_ name: String, _ cells: String...) -> String {
    pad(name, 36) + cells.map { pad($0, 14) }.joined()
  }
}

private func pad(_ text: String, _ width: Int) -> String {
  text.padding(toLength: width, withPad: " ", startingAt: 0)
}

/// A layer of the networks, apart from them.
struct BenchLayer {
  private enum Kind {
    case linear(inputs: Int, outputs: Int)
    case convolution(side: Int, inputs: Int, outputs: Int, kernel: Int, stride: Int)
    /// `side` is that of the input, the output one.
    case transposed(side: Int, inputs: Int, outputs: Int, kernel: Int, stride: Int)
  }

  let name: String
  private let kind: Kind

  static let all: [BenchLayer] = [
    a1("mnist", side: 28, channels: 1, m: 32), a1("cifar", side: 32, channels: 3, m: 128),
    a1("celeba", side: 64, channels: 3, m: 128), a2Cifar,
    [BenchLayer(name: "critic hidden 1024→1024", kind: .linear(inputs: 1024, outputs: 1024))],
  ].flatMap { $0 }

  private static func a1(_ set: String, side: Int, channels: Int, m: Int) -> [BenchLayer] {
    let flat = side / 4 * (side / 4) * 128
    let layers: [(String, Kind)] = [
      ("conv0", .convolution(side: side, inputs: channels, outputs: 64, kernel: 4, stride: 2)),
      ("conv1", .convolution(side: side / 2, inputs: 64, outputs: 128, kernel: 4, stride: 2)),
      ("hidden \(flat)→1024", .linear(inputs: flat, outputs: 1024)),
      ("codes 1024→\(m)", .linear(inputs: 1024, outputs: m)),
      ("hidden0 \(m)→1024", .linear(inputs: m, outputs: 1024)),
      ("hidden1 1024→\(flat)", .linear(inputs: 1024, outputs: flat)),
      ("convT0", .transposed(side: side / 4, inputs: 128, outputs: 128, kernel: 4, stride: 2)),
      ("convT1", .transposed(side: side / 2, inputs: 128, outputs: 64, kernel: 4, stride: 2)),
      ("conv2", .convolution(side: side, inputs: 64, outputs: channels, kernel: 3, stride: 1)),
    ]
    return layers.map { BenchLayer(name: "a1 \(set) \($0.0)", kind: $0.1) }
  }

  private static let a2Cifar: [BenchLayer] = a2CifarKinds.map {
    BenchLayer(name: "a2 cifar \($0.0)", kind: $0.1)
  }

  private static let a2CifarKinds: [(String, Kind)] = [
    ("conv1 128→256", .convolution(side: 16, inputs: 128, outputs: 256, kernel: 4, stride: 2)),
    ("conv3 512→1024", .convolution(side: 4, inputs: 512, outputs: 1024, kernel: 4, stride: 2)),
    ("convT0 1024→512", .transposed(side: 8, inputs: 1024, outputs: 512, kernel: 4, stride: 2)),
    ("convT1 512→256", .transposed(side: 16, inputs: 512, outputs: 256, kernel: 4, stride: 2)),
    ("convT2 256→3", .transposed(side: 32, inputs: 256, outputs: 3, kernel: 4, stride: 1)),
  ]

  /// GF/s forward, of the input's gradient and of the weights' gradient: the best call.
  func measure(batch: Int, precision: Precision, seconds: Double) -> [Double] {
    switch kind {
    case .linear(let inputs, let outputs):
      return product(batch, inputs, outputs, precision, seconds)
    case .convolution(let side, let inputs, let outputs, let kernel, let stride):
      let g = geometry(batch, (side, inputs), (side / stride, outputs), kernel, stride)
      return convolution(g, precision, seconds)
    case .transposed(let side, let inputs, let outputs, let kernel, let stride):
      let g = geometry(batch, (side * stride, outputs), (side, inputs), kernel, stride)
      let measured = convolution(g, precision, seconds)
      return [measured[1], measured[0], measured[2]]
    }
  }

  private func geometry(
    _ batch: Int, _ input: (side: Int, channels: Int), _ output: (side: Int, channels: Int),
    _ kernel: Int, _ stride: Int
  ) -> ConvolutionGeometry {
    let padding = max((output.side - 1) * stride + kernel - input.side, 0) / 2
    return ConvolutionGeometry(
      batch: batch, inputHeight: input.side, inputWidth: input.side, inputChannels: input.channels,
      outputHeight: output.side, outputWidth: output.side, outputChannels: output.channels,
      kernelHeight: kernel, kernelWidth: kernel, strideHeight: stride, strideWidth: stride,
      paddingTop: padding, paddingLeft: padding)
  }

  private func convolution(_ g: ConvolutionGeometry, _ precision: Precision, _ seconds: Double)
    -> [Double]
  {
    let pixels = g.batch * g.outputHeight * g.outputWidth
    let weights = g.kernelHeight * g.kernelWidth * g.inputChannels * g.outputChannels
    let input = BenchBuffer(g.batch * g.inputHeight * g.inputWidth * g.inputChannels)
    let (output, w) = (BenchBuffer(pixels * g.outputChannels), BenchBuffer(weights))
    let work = 2 * Double(pixels) * Double(weights)
    return [
      rate(work, seconds) { conv2d(input.start, w.start, output.start, g, precision: precision) },
      rate(work, seconds) {
        convTranspose2d(output.start, w.start, input.start, g, precision: precision)
      },
      rate(work, seconds) {
        conv2dWeightGradient(
          input.start, output.start, w.start, g, accumulate: false, precision: precision)
      },
    ]
  }

  private func product(
    _ batch: Int, _ inputs: Int, _ outputs: Int, _ precision: Precision, _ seconds: Double
  ) -> [Double] {
    let (x, w) = (BenchBuffer(batch * inputs), BenchBuffer(inputs * outputs))
    let y = BenchBuffer(batch * outputs)
    func time(
      _ a: BenchBuffer, _ ta: Bool, _ b: BenchBuffer, _ tb: Bool, _ c: BenchBuffer, _ m: Int,
      _ n: Int, _ k: Int
    )
      -> Double
    {
      rate(2 * Double(m * n * k), seconds) {
        gemm(
          a.start, transposed: ta, b.start, transposed: tb, c.start, m: m, n: n, k: k,
          accumulate: false, precision: precision)
      }
    }
    return [
      time(x, false, w, false, y, batch, outputs, inputs),
      time(y, false, w, true, x, batch, inputs, outputs),
      time(x, true, y, false, w, inputs, outputs, batch),
    ]
  }

  /// GF/s of the best call.
  private func rate(_ work: Double, _ seconds: Double, _ body: () -> Void) -> Double {
    body()
    var times: [Double] = []
    while times.reduce(0, +) < seconds || times.count < 3 {
      let start = ContinuousClock.now
      body()
      let elapsed = (ContinuousClock.now - start).components
      times.append(Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
    }
    return work / times.min()! * 1e-9
  }
}

/// Memory with output numbers in it, on huge pages as that of a rank by itself.
private final class BenchBuffer {
  private let memory: Arena
  var start: UnsafeMutablePointer<Float> { memory.pointer }

  init(_ count: Int) {
    memory = Arena(count: count, isZeroed: false)
    randomUniform(start, count: count, key: 1, offset: 0)
  }
}
