import LatheData
import LatheMetrics
import LatheModels
import LatheTraining
import Synchronization

/// The models, data sets and feature extractors that this program's command line may name; set
/// once, by `Lathe.main`.
enum Registered {
  private static let registries = Mutex(
    (ModelRegistry.standard, DatasetRegistry.standard, FeatureRegistry.standard))

  static func set(
    _ models: ModelRegistry, _ datasets: DatasetRegistry, _ features: FeatureRegistry
  ) {
    registries.withLock { $0 = (models, datasets, features) }
  }

  private static let faults = Mutex<(@Sendable (Int) -> (any FaultInjector)?)?>(nil)

  /// Ranks fail as asked from now on.
  static func set(faults: @escaping @Sendable (Int) -> (any FaultInjector)?) {
    self.faults.withLock { $0 = faults }
  }

  /// The fault that is asked of a rank; nil in a program without faults.
  static func fault(rank: Int) -> (any FaultInjector)? { faults.withLock { $0?(rank) } }

  static var models: ModelRegistry { registries.withLock { $0.0 } }
  static var datasets: DatasetRegistry { registries.withLock { $0.1 } }
  static var features: FeatureRegistry { registries.withLock { $0.2 } }
}
