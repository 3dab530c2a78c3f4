import Foundation
import LatheDistributed

/// What the program that started this process says of the ranks, known before MPI starts.
enum Launcher {
  /// Rank and size; nil without a launcher.
  static var place: (rank: Int, size: Int)? {
    launcherPlace { ProcessInfo.processInfo.environment[$0] }
  }

  /// Whether this process is rank 0 or runs alone.
  static var isRoot: Bool { place?.rank ?? 0 == 0 }
}
