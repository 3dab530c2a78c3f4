import LatheTensors

/// A place in the tree of names, through which layers create their parameters and buffers.
public struct Scope {
  let store: ParameterStore
  let path: String
  private(set) var isSpectrallyNormalized = false

  /// The place `name` within this one; the outermost names are the groups that phases update.
  public func callAsFunction(_ name: String) -> Scope {
    Scope(store: store, path: join(name), isSpectrallyNormalized: isSpectrallyNormalized)
  }

  /// The same place, in which all layers are spectrally normalised.
  public var spectrallyNormalized: Scope {
    Scope(store: store, path: path, isSpectrallyNormalized: true)
  }

  /// The parameters that have been created within this place.
  public var parameters: [Parameter] {
    store.parameters.filter { $0.name.hasPrefix(join("")) }
  }

  /// Creates and registers a parameter, drawn from (seed, its path) once the store is laid out.
  public func parameter(
    _ name: String, _ shape: Shape, _ initializer: Initializer,
    constraint: Parameter.Constraint? = nil
  ) -> Parameter {
    let parameter = Parameter(join(name), shape, initializer, constraint)
    store.add(parameter)
    return parameter
  }

  /// Creates and registers a buffer, which `momentum` keeps near its old value when it is updated.
  public func buffer(_ name: String, _ shape: Shape, _ initializer: Initializer, momentum: Double)
    -> Buffer
  {
    let buffer = Buffer(join(name), shape, initializer, momentum: momentum)
    store.add(buffer)
    return buffer
  }

  private func join(_ name: String) -> String { path.isEmpty ? name : path + "." + name }
}
