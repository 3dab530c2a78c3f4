import LatheData
import LatheModels
import Synchronization

/// The models and data sets that this program's command line may name; set once, by `Lathe.main`.
enum Registered {
  private static let registries = Mutex((ModelRegistry.standard, DatasetRegistry.standard))

  static func set(_ models: ModelRegistry, _ datasets: DatasetRegistry) {
    registries.withLock { $0 = (models, datasets) }
  }

  static var models: ModelRegistry { registries.withLock { $0.0 } }
  static var datasets: DatasetRegistry { registries.withLock { $0.1 } }
}
