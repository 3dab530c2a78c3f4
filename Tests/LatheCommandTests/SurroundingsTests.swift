import Foundation
import LatheCommand
import TestSupport
import Testing

/// What the machine and its containers allow, from files like those of the system.
@Suite struct SurroundingsTests {
  /// Cores of a process of which `/proc` and `/sys/fs/cgroup` say this, by path.
  private func cores(_ files: [String: String]) throws -> Cores {
    let scratch = try Scratch()
    for (path, text) in files {
      let file = URL(fileURLWithPath: "\(scratch.path)/\(path)")
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    return Cores(root: scratch.path.string)
  }
  private let machine = ProcessInfo.processInfo.processorCount

  @Test func withoutLimits() throws {
    let found = try cores(["proc/self/status": "Name:\tx\nCpus_allowed:\tff,00000003\n"])
    #expect(found.own == 10 && found.all == machine && found.quota == nil)
    #expect(found.usable == 10 && found.shared == machine)
    #expect(try cores([:]).own == machine)
  }

  @Test(arguments: [("50000 100000", 0.5, 1), ("150000 100000", 1.5, 2), ("400000 100000", 4, 4)])
  func quotaOfVersion2(_ text: String, quota: Double, threads: Int) throws {
    let found = try cores([
      "proc/self/status": "Cpus_allowed:\tff\n", "proc/self/cgroup": "0::/docker/a b\n",
      "sys/fs/cgroup/docker/a b/cpu.max": "\(text)\n",
      "sys/fs/cgroup/docker/cpu.max": "max 100000\n",
    ])
    #expect(found.quota == quota && found.usable == threads)
    #expect(found.shared == min(machine, threads))
  }

  /// The tightest group counts; a container sees its own group as the topmost one.
  @Test func quotaOfAGroupAbove() throws {
    let found = try cores([
      "proc/self/status": "Cpus_allowed:\tf\n", "proc/self/cgroup": "0::/a/b\n",
      "sys/fs/cgroup/a/b/cpu.max": "300000 100000\n", "sys/fs/cgroup/cpu.max": "200000 100000\n",
    ])
    #expect(found.quota == 2 && found.usable == 2)
  }

  @Test func quotaOfVersion1() throws {
    let files = [
      "proc/self/status": "Cpus_allowed:\tff\n",
      "proc/self/cgroup": "5:cpuset:/\n3:cpu,cpuacct:/docker/0123\n1:name=systemd:/\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "250000\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    ]
    #expect(try cores(files).quota == 2.5 && cores(files).usable == 3)
    let unlimited = files.merging(["sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n"]) { $1 }
    #expect(try cores(unlimited).quota == nil)
  }

  @Test func coresOfTheContainer() throws {
    let one = try cores([
      "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpuset.cpus.effective": "3\n",
    ])
    #expect(one.all == 1)
    let many = try cores([
      "proc/self/cgroup": "2:cpuset:/\n", "sys/fs/cgroup/cpuset/cpuset.cpus": "0-3,8,10-11\n",
    ])
    #expect(many.all == min(machine, 7))
  }

  @Test(arguments: ["", "x", "max", "1 0", "-1 100000", "nan 1", "a b c"])
  func aFileOfAnotherKindIsNoLimit(_ text: String) throws {
    let found = try cores(["proc/self/cgroup": "0::/\n0\n", "sys/fs/cgroup/cpu.max": text])
    #expect(found.quota == nil && found.usable == machine, "\(found)")
  }

  @Test func everyVariableThatRootNeedsIsNamed() {
    let both = ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"]
    #expect(Surroundings.missingForRoot([:], user: 0) == both)
    #expect(Surroundings.missingForRoot([both[0]: "1"], user: 0) == [both[1]])
    #expect(Surroundings.missingForRoot([both[1]: "1"], user: 0) == [both[0]])
    #expect(Surroundings.missingForRoot([both[0]: "1", both[1]: "1"], user: 0) == [])
    #expect(Surroundings.missingForRoot([:], user: 1000) == [])
  }

  @Test func foldersThatCannotBeWrittenAreNamed() throws {
    let scratch = try Scratch()
    let folder = scratch.path.string
    #expect(Surroundings.trouble(in: folder, locks: true) == nil)
    #expect(Surroundings.trouble(in: "\(folder)/not/yet") == nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    try Data().write(to: URL(fileURLWithPath: "\(folder)/file"))
    #expect(Surroundings.trouble(in: "\(folder)/file/x") == "\(folder)/file is no folder")
    #expect(Surroundings.trouble(in: "/proc")?.hasPrefix("cannot create /proc/") == true)
  }
}
