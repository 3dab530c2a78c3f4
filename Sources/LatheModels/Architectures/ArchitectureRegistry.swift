import Synchronization

/// Architectures by name.
public struct ArchitectureRegistry: Sendable {
  public let architectures: [any Architecture]

  public init(_ architectures: [any Architecture]) { self.architectures = architectures }

  /// Those of the compared papers.
  public static let standard = ArchitectureRegistry([
    FlexAEConv(), RAEConv(), DCGAN(), InfoGAN(), FullyConnected(), PythaeConv(),
  ])

  public static func + (registry: Self, more: [any Architecture]) -> Self {
    ArchitectureRegistry(registry.architectures + more)
  }

  public var names: [String] { architectures.map(\.name) }

  /// The architecture of that name, or of that former name; capitals do not count.
  public subscript(name: String) -> (any Architecture)? {
    let word = name.lowercased()
    let present = Self.formerNames[word] ?? word
    return architectures.first { $0.name.lowercased() == present }
  }

  /// Names in older recipes and checkpoints, and what they are called now.
  public static let formerNames = [
    "a1": "flexae-conv", "a2": "rae-conv", "a3": "dcgan", "a4": "infogan", "a5": "mlp",
    "a6": "pythae-conv",
  ]

  // MARK: Of this program

  private static let registered = Mutex(standard)

  /// The architectures that recipes and checkpoints may name in this program.
  public static var current: ArchitectureRegistry { registered.withLock { $0 } }

  /// Makes an architecture known by its name, before anything that names it is read.
  public static func register(_ architecture: any Architecture) {
    registered.withLock { $0 = $0 + [architecture] }
  }
}
