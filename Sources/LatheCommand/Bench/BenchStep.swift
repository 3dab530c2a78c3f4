import ArgumentParser
import LatheDistributed
import Foundation
import LatheKernels
import LatheTensors
import LatheTraining

struct BenchStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Times whole training steps: forward, backward, gradient reduction, optimizer.",
    usage: "lathe bench step [options]",
    discussion: """
        mpirun -n 2 --bind-to none lathe bench step --workload ae-a1-cifar
      Workloads: \(BenchWorkload.names.joined(separator: ", ")).
      The images are random and already in memory, so no input is timed.
      """)

  @Option(help: "What is trained.")
  var workload = "ae-a1-cifar"

  @Option(help: "Images in each rank's batch.")
  var batch = 64

  @Option(help: "Steps that are timed.")
  var steps = 20

  @Option(help: "Steps before that.")
  var warmup = 3

  @Option(help: "Threads of each rank.")
  var threads = 1

  @Option(help: "float32, or bfloat16 for the operands of GEMMs and convolutions.")
  var precision = Precision.float32

  @Option(
    help: """
      on: gradients are reduced while the backward pass still runs; auto: between hosts, \
      whichever is faster.
      """)
  var overlap = Overlap.off

  @Option(help: "What gradients are between hosts: float32, or bfloat16 with half the bytes.")
  var wire = Wire.float32

  @Flag(
    help: "Show where a step's time goes on rank 0, page faults and memory taken from the system.")
  var profile = false

  func validate() throws {
    guard BenchWorkload.names.contains(workload) else {
      throw ValidationError(
        "no workload '\(workload)'; there are \(BenchWorkload.names.joined(separator: ", "))")
    }
    try check("--batch", batch, in: 2...100_000)
    try check("--steps", steps, in: 1...1_000_000_000)
    try check("--threads", threads, in: 1...256)
    try check("--warmup", warmup, in: 0...1_000_000_000)
  }

  func run() throws {
    let world = try RankedJob.start().world
    Workers.setCount(threads)
    let job = try BenchWorkload(
      workload, batch: batch, precision: precision, overlap, wire, on: world)
    for step in 0..<warmup { try job.run(step: step) }
    Profile.reset()
    Profile.isEnabled = profile
    let before = ProcessUsage.now
    var times: [Double] = []
    for step in warmup..<warmup + steps {
      try world.barrier()
      let start = ContinuousClock.now
      try job.run(step: step)
      try world.barrier()
      times.append((ContinuousClock.now - start).seconds)
    }
    let used = ProcessUsage.now.since(before)
    let peak = try world.allReduce([ProcessUsage.now.peakMebibytes], .maximum)[0]
    if world.rank == 0 { report(times.sorted(), job, ranks: world.size, peak: peak, used) }
    try job.finish()
  }

  private func report(
    _ times: [Double], _ job: BenchWorkload, ranks: Int, peak: Double, _ used: ProcessUsage
  ) {
    let median = (times[(times.count - 1) / 2] + times[times.count / 2]) / 2
    let rate = String(format: "%.1f", Double(ranks * batch) / median)
    let step = String(format: "median step %.1f ms, min %.1f", median * 1e3, times[0] * 1e3)
    print(
      "lathe \(version) \(workload) ranks=\(ranks) threads=\(threads) batch/rank=\(batch) "
        + "precision=\(precision.rawValue) overlap=\(overlap.rawValue) "
        + (wire == .float32 ? "" : "wire=\(wire.rawValue) ")
        + "parameters=\(job.parameterCount) "
        + "isa=\(Processor.instructionSet) blas=\(Processor.blasCore): \(rate) images/s (\(step)), "
        + "peak RSS/rank \(Int(peak.rounded())) MiB")
    if profile { printProfile(times.reduce(0, +), used) }
  }

  private func printProfile(_ total: Double, _ used: ProcessUsage) {
    func line(_ name: String, _ seconds: Double) {
      let text = String(
        format: "%8.1f ms %5.1f %%", seconds / Double(steps) * 1e3, seconds / total * 100)
      print("  " + name.padding(toLength: 34, withPad: " ", startingAt: 0) + text)
    }
    for (kind, seconds) in Profile.seconds.sorted(by: { $0.value > $1.value }) {
      line(kind.rawValue, seconds)
    }
    line("everything else", total - Profile.seconds.values.reduce(0, +))
    line("mean step", total)
    let speed = Double(Profile.operations) / total * 1e-9
    let image = Double(Profile.operations) / Double(steps * batch) * 1e-9
    let peak = Processor.measuredPeak(seconds: 0.5)
    print(
      String(
        format: "  %.2f GF an image, %.0f GF/s a rank, %.0f %% of the measured peak of %.0f GF/s",
        image, speed, speed / peak * 100, peak))
    let faults = Double(used.minorFaults) / Double(steps)
    let allocations = Double(used.poolAllocations) / Double(steps)
    print(
      String(
        format:
          "  a warm step: %.1f page faults, %.2f blocks taken from the system; %d MiB in the pool",
        faults,
        allocations, StoragePool.statistics.bytes >> 20))
  }
}

/// What the system counts for this process.
struct ProcessUsage {
  let minorFaults: Int
  let poolAllocations: Int
  let peakMebibytes: Double

  static var now: ProcessUsage {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    return ProcessUsage(
      minorFaults: usage.ru_minflt, poolAllocations: StoragePool.statistics.systemAllocations,
      peakMebibytes: Double(usage.ru_maxrss) / 1024)
  }

  func since(_ start: ProcessUsage) -> ProcessUsage {
    ProcessUsage(
      minorFaults: minorFaults - start.minorFaults,
      poolAllocations: poolAllocations - start.poolAllocations, peakMebibytes: peakMebibytes)
  }
}
