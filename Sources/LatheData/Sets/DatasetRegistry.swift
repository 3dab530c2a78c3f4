import Glibc
import LatheFiles
import SystemPackage

/// Data sets by name: `DatasetRegistry.standard + [mine]` knows one more.
public struct DatasetRegistry: Sendable {
  /// The data sets that come with lathe.
  public static let standard = DatasetRegistry([
    .mnist, .fashionMNIST, .cifar10, .celebA, .folder, .arrays, .synthetic, .synthetic4,
    .synthetic8, .synthetic16, .synthetic32,
  ])

  /// Every data set, in the order in which they are listed.
  public let datasets: [Dataset]

  /// A registry of these data sets, whose names must differ.
  public init(_ datasets: [Dataset]) {
    var names: Set<String> = []
    for dataset in datasets {
      require(names.insert(dataset.name).inserted, "DatasetRegistry: \(dataset.name) twice")
    }
    self.datasets = datasets
  }

  /// The data set of that name; nil if there is none.
  public subscript(name: String) -> Dataset? { datasets.first { $0.name == name } }

  /// A registry with further data sets.
  public static func + (registry: DatasetRegistry, more: [Dataset]) -> DatasetRegistry {
    DatasetRegistry(registry.datasets + more)
  }

  /// The folder in which data sets are looked for besides `data`: the value of `LATHE_DATA`.
  public static var dataRoot: FilePath? {
    guard let value = getenv("LATHE_DATA"), value.pointee != 0 else { return nil }
    return FilePath(platformString: value)
  }
}
