import Foundation

/// The cores that this process and all processes of its container may use.
///
/// mpirun binds a process to some cores; a container may be limited to some, and to a share of
/// their time.
package struct Cores: Equatable {
  /// Cores that this process may run on.
  package let own: Int
  /// Cores of this machine that its container may run on.
  package let all: Int
  /// The time that the container's processes may use together, in cores; nil without a limit.
  package let quota: Double?

  /// Cores that are of use to this process: a quota of 1.5 cores is of use to two threads.
  package var usable: Int { withinQuota(own) }
  /// Cores that are of use to all ranks of a host together.
  package var shared: Int { withinQuota(all) }

  private func withinQuota(_ cores: Int) -> Int {
    quota.map { Int(min($0.rounded(.up), Double(cores))) } ?? cores
  }

  /// As the system says. `root` is the folder in which `proc` and `sys` lie.
  package init(root: String = "") {
    let machine = ProcessInfo.processInfo.processorCount
    let groups = ControlGroups(root: root)
    let status = text("\(root)/proc/self/status") ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
    let allowed = line?.dropFirst("Cpus_allowed:".count).compactMap(\.hexDigitValue)
      .reduce(0) { $0 + $1.nonzeroBitCount }
    let cores = groups.cores.map { min($0, machine) } ?? machine
    (own, all, quota) = (max(allowed ?? cores, 1), max(cores, 1), groups.quota)
  }
}

/// Limits of the control groups (Linux's cgroups, version 1 or 2) that this process belongs to.
private struct ControlGroups {
  private let root: String
  /// Folders of the groups of a controller, from this process's own to the topmost.
  private func folders(_ controller: String) -> [String] {
    let lines = (text("\(root)/proc/self/cgroup") ?? "").split(separator: "\n")
    let mount = "\(root)/sys/fs/cgroup"
    return lines.flatMap { line -> [String] in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return [] }
      if fields[1].isEmpty { return ancestors(String(fields[2]), below: mount) }
      guard fields[1].split(separator: ",").contains(controller[...]) else { return [] }
      return ["\(mount)/\(fields[1])", "\(mount)/\(controller)"].flatMap {
        ancestors(String(fields[2]), below: $0)
      }
    }
  }

  init(root: String) { self.root = root }

  /// The smallest quota of all groups, in cores.
  var quota: Double? {
    folders("cpu").compactMap { folder -> Double? in
      let fields =
        text("\(folder)/cpu.max")?.split(whereSeparator: \.isWhitespace)
        ?? ["cpu.cfs_quota_us", "cpu.cfs_period_us"].compactMap { name in
          text("\(folder)/\(name)").map { $0.prefix { !$0.isNewline } }
        }
      guard fields.count == 2, let time = Double(fields[0]), let period = Double(fields[1]),
        time > 0, period > 0
      else { return nil }
      return time / period
    }.min()
  }

  /// The fewest cores that a group may run on.
  var cores: Int? {
    folders("cpuset").compactMap { folder -> Int? in
      let names = ["cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"]
      let list = names.lazy.compactMap { text("\(folder)/\($0)") }.first
      let count = list.map(countOfCores) ?? 0
      return count > 0 ? count : nil
    }.min()
  }

  /// How many cores a list such as `0-3,8` names.
  private func countOfCores(_ list: String) -> Int {
    list.split { $0 == "," || $0.isWhitespace }.reduce(0) { count, range in
      let ends = range.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, last >= first else { return count }
      return count + min(last - first, 1 << 20) + 1
    }
  }

  private func ancestors(_ path: String, below mount: String) -> [String] {
    let names = path.split(separator: "/").filter { $0 != ".." }
    return (0...names.count).reversed().map {
      ([mount] + names.prefix($0).map(String.init)).joined(separator: "/")
    }
  }
}

/// A small text file; nil if it cannot be read.
private func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
