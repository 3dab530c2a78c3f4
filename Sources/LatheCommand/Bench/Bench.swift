import ArgumentParser
import LatheDistributed
import LatheKernels

/// The command `lathe bench`: how fast training steps are, their parts, and the extraction of
/// features.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures training steps, feature extraction on random images, and scores.",
    discussion: "Compare with other programs by launch/bench, which alternates the runs.",
    subcommands: [BenchStep.self, BenchKernels.self, BenchFeatures.self, BenchScores.self])
}

extension Precision: ExpressibleByArgument {}
extension Overlap: ExpressibleByArgument {}
extension Wire: ExpressibleByArgument {}
