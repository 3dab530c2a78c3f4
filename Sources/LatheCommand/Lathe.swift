import ArgumentParser
import Foundation
import LatheData
import LatheMetrics
import LatheModels
import LatheTraining

/// The command `lathe`.
///
/// A program with models of its own has all of it in one line:
/// `Lathe.main(models: .standard + [MyModel.self])`.
public struct Lathe: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "lathe",
    abstract: "Trains regularized autoencoders on one core or many hosts.",
    discussion: """
      Train, on two ranks:
        mpirun -n 2 lathe train flexae fashion-mnist --steps 2000
      Continue where it stopped, on any number of ranks that divides the slices:
        mpirun -n 1 lathe train --steps 4000 --resume --out runs/flexae-fashion-mnist
      Look at what it learned:
        lathe sample runs/flexae-fashion-mnist
        lathe reconstruct runs/flexae-fashion-mnist

      Exit status: 0 done, 64 wrong usage, 65 damaged or contradictory input,
      66 missing input, 69 no progress (--stall-timeout) or no answer from a
      mirror (data get), 70 training failed,
      73 output cannot be written, 75 stopped by a signal after saving: the
      command with --resume continues. mpirun itself ends with 1 where a signal
      that it got stopped the ranks.
      """,
    version: Components.text,
    subcommands: [
      Train.self, Evaluate.self, Sample.self, Reconstruct.self, Interpolate.self, Neighbors.self,
      Latent.self, Encode.self, Decode.self, Export.self, FrechetTool.self, RunsCommand.self,
      Compare.self, Report.self, Card.self, ExperimentCommand.self,
      DataCommand.self, Models.self,
      Datasets.self,
      FeaturesCommand.self, Doctor.self, Bench.self,
    ])

  public init() {}

  /// Runs the command line with the models, data sets and feature extractors that it may name.
  public static func main(
    models: ModelRegistry = .standard, datasets: DatasetRegistry = .standard,
    features: FeatureRegistry = .standard
  ) {
    Registered.set(models, datasets, features)
    do {
      var command = try parseAsRoot()
      if !(command is any RootCommand) || RankedJob.isLeftToRoot() { try command.run() }
      try RankedJob.finish()
    } catch let code as ExitCode {
      Foundation.exit(code.rawValue)
    } catch {
      guard exitCode(for: error) != .success else { exit(withError: error) }
      RankedJob.end(with: error)
    }
  }

  /// The same for tests, with ranks that fail when they are asked to.
  package static func main(faults: @escaping @Sendable (Int) -> (any FaultInjector)?) {
    Registered.set(faults: faults)
    main()
  }
}
