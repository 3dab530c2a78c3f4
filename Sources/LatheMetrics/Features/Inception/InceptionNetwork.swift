import LatheTensors

/// The layers of ``InceptionTable`` with weights, up to one of its features.
struct InceptionNetwork {
  /// A unit's weight `[height, width, inputs, outputs]` and bias `[outputs]`.
  struct Layer {
    let weight, bias: Tensor
  }

  private let stages: ArraySlice<InceptionTable.Stage>
  private let layers: [String: Layer]

  /// The network up to `stages`' end. `values` gives a parameter by name and shape: `NAME.weight`
  /// `[outputs, inputs, height, width]` and `NAME.bias` `[outputs]`.
  init<Failure: Error>(
    _ stages: ArraySlice<InceptionTable.Stage>,
    values: (_ name: String, _ shape: [Int]) throws(Failure) -> [Float]
  ) throws(Failure) {
    self.stages = stages
    var builder = Builder()
    var channels = 3
    for stage in stages { channels = try builder.add(stage.steps, channels, values) }
    layers = builder.layers
  }

  /// Images as the network takes them to the mean of each channel of the last stage.
  ///
  /// Shapes: `[N, 299, 299, 3]` → `[N, dimensions]`.
  func callAsFunction(_ images: consuming Tensor) -> Tensor {
    var x = images
    for stage in stages { x = run(stage.steps, x) }
    return x.mean(1, 2)
  }

  private func run(_ steps: [InceptionTable.Step], _ x: consuming Tensor) -> Tensor {
    var x = x
    for step in steps { x = run(step, x) }
    return x
  }

  private func run(_ step: InceptionTable.Step, _ x: Tensor) -> Tensor {
    switch step {
    case .unit(let unit):
      return addingBias(convolved(unit, x), layers[unit.name]!.bias, relu: true)
    case .maxPool(let stride):
      return maxPooling(x, kernel: 3, stride: stride, padding: stride == 1 ? 1 : 0)
    case .averaged(let unit):
      // A 1 × 1 convolution and the mean are linear and commute; the mean of fewer channels is
      // cheaper.
      let mean = averagePooling(convolved(unit, x), kernel: 3, stride: 1, padding: 1)
      return addingBias(mean, layers[unit.name]!.bias, relu: true)
    case .branches(let branches):
      return concatenated(branches.map { run($0, x) }, axis: 3)
    }
  }

  private func convolved(_ unit: InceptionTable.Unit, _ x: Tensor) -> Tensor {
    let (down, across) = unit.isPadded ? (unit.height / 2, unit.width / 2) : (0, 0)
    return convolution(
      x, layers[unit.name]!.weight, stride: unit.stride,
      padding: .explicit(top: down, bottom: down, left: across, right: across))
  }
}

/// Fetches the layers of some steps, following the number of channels.
private struct Builder {
  var layers: [String: InceptionNetwork.Layer] = [:]

  /// Returns the channels after `steps`.
  mutating func add<Failure: Error>(
    _ steps: [InceptionTable.Step], _ channels: Int,
    _ values: (_ name: String, _ shape: [Int]) throws(Failure) -> [Float]
  ) throws(Failure) -> Int {
    var channels = channels
    for step in steps {
      switch step {
      case .unit(let unit), .averaged(let unit):
        layers[unit.name] = try layer(unit, channels, values)
        channels = unit.outputs
      case .maxPool: break
      case .branches(let branches):
        var total = 0
        for branch in branches { total += try add(branch, channels, values) }
        channels = total
      }
    }
    return channels
  }

  private func layer<Failure: Error>(
    _ unit: InceptionTable.Unit, _ inputs: Int,
    _ values: (_ name: String, _ shape: [Int]) throws(Failure) -> [Float]
  ) throws(Failure) -> InceptionNetwork.Layer {
    let shape = [unit.outputs, inputs, unit.height, unit.width]
    let weight = Tensor(try values(unit.name + ".weight", shape), shape: Shape(shape))
    return InceptionNetwork.Layer(
      weight: weight.transposed(2, 3, 1, 0),
      bias: Tensor(try values(unit.name + ".bias", [unit.outputs]), shape: [unit.outputs]))
  }
}
