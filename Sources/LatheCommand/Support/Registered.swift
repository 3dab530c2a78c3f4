import LatheData
import LatheMetrics
import LatheModels
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

  static var models: ModelRegistry { registries.withLock { $0.0 } }
  static var datasets: DatasetRegistry { registries.withLock { $0.1 } }
  static var features: FeatureRegistry { registries.withLock { $0.2 } }
}
