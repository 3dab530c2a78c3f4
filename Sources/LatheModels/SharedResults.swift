import LatheNN
import LatheTensors

/// Results that several phases ask of the same batch, each computed once.
///
/// A result is recorded with its groups' parameters as variables, whichever phase asks first, even
/// where that phase records nothing. So a later phase can be differentiated through it. It is
/// forgotten once one of its groups has moved.
public final class SharedResults {
  private let store: ParameterStore
  private var results: [String: (value: Tensor, groups: [String])] = [:]

  /// None yet, of networks whose parameters are in `store`.
  public init(_ store: ParameterStore) { self.store = store }

  func callAsFunction(_ name: String, of groups: [String], _ result: () -> Tensor) -> Tensor {
    if let known = results[name] { return known.value }
    let value = withGradients { store.withVariables(of: groups, result) }
    results[name] = (value, groups)
    return value
  }

  /// Forgets what parameters of `groups` have made, which an update has moved.
  public func forget(groups: [String]) {
    results = results.filter { Set($0.value.groups).isDisjoint(with: groups) }
  }
}
