import Foundation
import LatheFiles
import LatheModels
import LatheNN
import Testing

/// The model of a name, with settings over its defaults for a run of 1000 steps.
///
/// With values only if asked for: drawing them takes a while where there are millions.
func build(
  _ name: String, _ images: ImageShape, _ settings: [String: Any] = [:], drawn: Bool = true
) throws -> (store: ParameterStore, model: any Model) {
  let entry = try #require(ModelRegistry.standard[name])
  let store = ParameterStore(seed: 1)
  let resolved = try entry.resolve(json(settings), images, 1000)
  let model = try entry.make(store.root, images, resolved)
  if drawn { store.layOut() }
  return (store, model)
}

/// Why the model cannot be built so; nil if it can.
func refusal(_ name: String, _ images: ImageShape, _ settings: [String: Any] = [:]) throws
  -> String?
{
  let entry = try #require(ModelRegistry.standard[name])
  let given = try json(settings)
  do { _ = try entry.resolve(given, images, 1000) } catch { return "\(error)" }
  return nil
}

private func json(_ settings: [String: Any]) throws -> [String: JSONValue] {
  try JSONDecoder().decode(
    [String: JSONValue].self, from: JSONSerialization.data(withJSONObject: settings))
}
