import ArgumentParser
import LatheDistributed
import LatheData
import Foundation
import LatheKernels
import LatheTraining

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Looks at this machine and says what training will find here.",
    discussion: "Every line that begins with ! says what to do about it.")

  func run() throws {
    guard Launcher.isRoot else { return _ = try RankedJob.start() }
    machine()
    blas()
    launcher()
    places()
    sharedMemory()
    charts()
    for entry in Registered.datasets.datasets where !entry.isGenerated && entry.trainCount > 0 {
      dataSet(entry)
    }
  }

  private func say(_ isFine: Bool, _ what: String, _ text: String) {
    print(listed((isFine ? "  " : "! ") + what, text))
  }

  private func machine() {
    let info = ProcessInfo.processInfo
    #if DEBUG
      say(false, "lathe", "\(version), a debug build: build with `swift build -c release`")
    #else
      say(true, "lathe", "\(version), release build")
    #endif
    say(true, "system", info.operatingSystemVersionString)
    let memory = Double(info.physicalMemory) / Double(1 << 30)
    say(true, "machine", "\(coresInWords()), \(String(format: "%.1f", memory)) GiB of memory")
    say(true, "kernels", Components.kernels)
    let hugePages =
      (try? String(contentsOfFile: "/sys/kernel/mm/transparent_hugepage/enabled", encoding: .utf8))
      ?? ""
    say(
      !hugePages.contains("[never]"), "huge pages",
      hugePages.contains("[never]")
        ? "off: `echo madvise > /sys/kernel/mm/transparent_hugepage/enabled` is faster" : "on")
  }

  /// What ranks times threads should not exceed.
  private func coresInWords() -> String {
    let cores = Cores()
    var text = counted(cores.all, "core")
    if cores.own < cores.all { text += ", \(cores.own) of them for this process" }
    if let quota = cores.quota, quota < Double(cores.all) {
      text += String(format: ", a CPU quota of %g", quota)
    }
    return text
  }

  private func blas() {
    let environment = ProcessInfo.processInfo.environment
    let forced = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"].filter { environment[$0] != nil }
    say(true, "BLAS", "\(Components.blas), \(measuredSpeed())")
    if !forced.isEmpty {
      let names = forced.map { "\($0)=\(environment[$0]!)" }.joined(separator: ", ")
      say(false, "BLAS", "forced by \(names): unset it unless you mean it, it can halve the speed")
    }
  }

  /// GF/s of one core on a 1024³ product.
  private func measuredSpeed() -> String {
    let n = 1024
    let a = [Float](repeating: 0.5, count: n * n)
    var c = a
    var best = Double.infinity
    for _ in 0..<5 {
      let start = ContinuousClock.now
      gemm(
        a, transposed: false, a, transposed: false, &c, m: n, n: n, k: n, accumulate: false)
      best = min(best, (ContinuousClock.now - start).seconds)
    }
    return String(format: "%.0f GF/s a core", 2 * Double(n * n * n) / best * 1e-9)
  }

  private func program(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/\(name)" }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  private func charts() {
    let found = program("gnuplot")
    say(found != nil, "gnuplot", found ?? "not found: `apt-get install gnuplot-nox`, for charts")
  }

  private func launcher() {
    let found = program("mpirun")
    say(
      found != nil, "mpirun",
      found ?? "not found: `apt-get install openmpi-bin`, to train on more than one rank")
    do {
      _ = try RankedJob.start()
      say(true, "MPI", Components.mpi)
    } catch {
      say(false, "MPI", "\(error)")
    }
    let missing = Surroundings.missingForRoot(
      ProcessInfo.processInfo.environment, user: geteuid())
    if MPISession.isOpenMPI && !missing.isEmpty {
      let settings = missing.map { "\($0)=1" }.joined(separator: " ")
      say(false, "root", "mpirun refuses to run as root: `export \(settings)`")
    }
  }

  private func places() {
    let environment = ProcessInfo.processInfo.environment
    place("TMPDIR", environment["TMPDIR"] ?? "/tmp", "name another folder, mpirun needs it")
    place("HOME", environment["HOME"] ?? "", "set it to a folder of your own, or LATHE_CACHE")
    place(
      "cache", DatasetRegistry.cacheFolder.string, "set LATHE_CACHE, or use --cache", locks: true)
  }

  private func place(_ name: String, _ folder: String, _ advice: String, locks: Bool = false) {
    guard !folder.isEmpty else { return say(false, name, "not set: \(advice)") }
    let trouble = Surroundings.trouble(in: folder, locks: locks)
    say(trouble == nil, name, trouble.map { "\(folder): \($0); \(advice)" } ?? folder)
  }

  private func sharedMemory() {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: "/dev/shm")
    guard let free = attributes?[.systemFreeSize] as? NSNumber,
      let size = attributes?[.systemSize] as? NSNumber
    else {
      return say(
        false, "/dev/shm",
        "not there: ranks of one host exchange gradients by messages, which is slower")
    }
    let mebibytes = free.intValue >> 20
    say(
      mebibytes >= 1024, "/dev/shm",
      "\(mebibytes) of \(size.intValue >> 20) MiB free"
        + (mebibytes >= 1024
          ? ""
          : ": gradients need the model's size for each rank; "
            + "give a container more with --shm-size")
    )
  }

  private func dataSet(_ entry: Dataset) {
    do {
      say(true, entry.name, try entry.presence())
    } catch {
      say(false, entry.name, "\(error)")
    }
  }
}
