import ArgumentParser
import LatheDistributed
import Foundation
import LatheKernels
import LatheMetrics
import SystemPackage
import LatheTensors
import LatheTraining

struct BenchFeatures: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features",
    abstract: "Times the extraction of Inception features, resize included.",
    usage: "lathe bench features [options]",
    discussion: """
        mpirun -n 2 --bind-to none lathe bench features --dims 768
      The same in PyTorch: Tests/Peers/torch_inception.py
      """)

  @Option(help: "inception:FILE for weights from a file (default: random ones).")
  var features: String?

  @Option(name: .customLong("weights"), help: .hidden)
  var oldWeights: String?

  @Option(help: "Length of the feature vectors: 64, 192, 768 or 2048.")
  var dims = 768

  @Option(help: "Images that a rank is given at a time.")
  var batch = 32

  @Option(help: "Side of the images before the resize.")
  var size = 32

  @Option(help: "Batches that are timed.")
  var steps = 5

  @Option(help: "Batches before that.")
  var warmup = 1

  @Option(help: "Threads of each rank.")
  var threads = 1

  @Flag(help: "Show where the time goes on rank 0.")
  var profile = false

  func validate() throws {
    try check("--batch", batch, in: 1...100_000)
    try check("--dims", dims, atLeast: 1)
    try check("--size", size, in: 1...4096)
    try check("--steps", steps, in: 1...1_000_000_000)
    try check("--threads", threads, in: 1...256)
    try check("--warmup", warmup, in: 0...1_000_000_000)
  }

  func run() throws {
    let network = try failing { try extractor() }
    try measure(network, on: RankedJob.start().world)
  }

  private func extractor() throws -> Inception {
    let old = renamedOption(oldWeights, "--weights FILE", to: "--features inception:FILE")
    guard let choice = old.map({ "inception:\($0)" }) ?? features else {
      return try Inception(randomWithDimensions: dims)
    }
    guard choice.hasPrefix("inception:") else {
      throw CommandFailure.usage("--features: expected inception:FILE, found \(choice)")
    }
    let path = FilePath(String(choice.dropFirst("inception:".count)))
    return try Inception(dimensions: dims, reading: path)
  }

  private func measure(_ network: Inception, on world: Communicator) throws {
    Workers.setCount(threads)
    let images = RandomSource(seed: 0).derived(world.rank).uniform(
      "images", [batch, size, size, 3])
    for _ in 0..<warmup { _ = try network.features(of: images) }
    Profile.reset()
    Profile.isEnabled = profile
    var times: [Double] = []
    for _ in 0..<steps {
      try world.barrier()
      let start = ContinuousClock.now
      _ = try network.features(of: images)
      try world.barrier()
      times.append((ContinuousClock.now - start).seconds)
    }
    let peak = try world.allReduce([ProcessUsage.now.peakMebibytes], .maximum)[0]
    if world.rank == 0 { report(times.sorted(), ranks: world.size, peak) }
  }

  private func report(_ times: [Double], ranks: Int, _ peak: Double) {
    let median = (times[(times.count - 1) / 2] + times[times.count / 2]) / 2
    let rate = String(format: "%.1f", Double(ranks * batch) / median)
    let batchTime = String(format: "median batch %.1f ms, min %.1f", median * 1e3, times[0] * 1e3)
    print(
      "lathe \(version) inception-\(dims) ranks=\(ranks) threads=\(threads) batch/rank=\(batch) "
        + "isa=\(Processor.instructionSet) blas=\(Processor.blasCore): "
        + "\(rate) images/s (\(batchTime)), peak RSS/rank \(Int(peak.rounded())) MiB, "
        + "\(StoragePool.statistics.bytes >> 20) of them in the pool")
    let total = times.reduce(0, +)
    for (kind, seconds) in Profile.seconds.sorted(by: { $0.value > $1.value }) {
      print(
        "  " + kind.rawValue.padding(toLength: 34, withPad: " ", startingAt: 0)
          + String(
            format: "%8.1f ms %5.1f %%", seconds / Double(steps) * 1e3, seconds / total * 100))
    }
  }
}
