import Foundation

/// The cores that this process may run on: mpirun binds a rank to some of them.
func coresOfThisProcess() -> Int {
  let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
  let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
  let cores = line?.dropFirst("Cpus_allowed:".count).compactMap(\.hexDigitValue)
    .reduce(0) { $0 + $1.nonzeroBitCount }
  return cores ?? ProcessInfo.processInfo.processorCount
}
