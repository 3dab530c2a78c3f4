import LatheData
import LatheDistributed
import LatheModels
import LatheNN
import LatheTensors
import LatheTraining

/// The direction of an attribute, from all ranks' codes, has the bits of one rank's sums.
func attributeCheck(_ world: Communicator) throws {
  let images = try Dataset.synthetic.load(.test, seed: 0).part(0..<130, as: .test)
  let labels = ImageAttributes(names: ["steep"], bits: images.labels.map { $0 > 3 ? 1 : 0 })
  let store = ParameterStore(seed: 4)
  let entry = ModelRegistry.standard["ae"]!
  let settings = try entry.resolve(
    ["hiddenSize": .int(16), "latentSize": .int(3)], images.shape, 1)
  let model = try entry.make(store.root, images.shape, settings)
  store.layOut()
  let found = try AttributeDirections(
    [0], of: images, labels: labels, model: model, on: world)?.directions
  try expectEqual(found == nil, world.rank > 0, "no directions")
  guard let found else { return }
  var codes: [[Float]] = []
  for range in [0..<50, 50..<100, 100..<130] {
    codes += withoutGradients { model.encode(images.tensor(range)).rows }
  }
  func mean(_ wanted: Bool) -> [Double] {
    var sums = [0.0, 0.0, 0.0]
    let own = codes.indices.filter { labels[$0, 0] == wanted }
    for image in own { for i in 0..<3 { sums[i] += Double(codes[image][i]) } }
    return sums.map { $0 / Double(own.count) }
  }
  let expected: [Float] = zip(mean(true), mean(false)).map { Float($0 - $1) }
  try expectEqual(found, [expected], "direction")
  try expectEqual(expected.contains { abs($0) > 1e-4 }, true, "a direction")
}
