import ArgumentParser

/// The command `lathe bench`: how fast training steps are, and their parts.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures training steps on random images in memory.",
    discussion: "Compare with other programs by launch/bench, which alternates the runs.",
    subcommands: [BenchStep.self, BenchKernels.self])
}
