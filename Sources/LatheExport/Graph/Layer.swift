import LatheKernels
import LatheTensors

/// A part of a network as other programs know it: a layer with its weights, or an operation.
///
/// Weights are values of the ``Graph``, none of which depends on the inputs.
struct Layer {
  enum Kind {
    /// Images `[N, C, H, W]` and a weight as ``Operation/conv2d(_:)`` has it.
    case convolution(ConvolutionGeometry, weight: Int, bias: Int?)
    case transposedConvolution(ConvolutionGeometry, weight: Int, bias: Int?)
    /// Rows and a weight `[inputs, outputs]`.
    case linear(weight: Int, bias: Int?)
    /// Over axis 1.
    case batchNorm(gamma: Int, beta: Int, mean: Int, variance: Int, epsilon: Float)
    case permute([Int])
    /// Axes are those of the operands.
    case operation(Operation)
  }

  /// What a layer is given.
  enum Operand: Hashable {
    /// What a layer gives, or an input, by its place in ``LayerGraph/results``.
    case result(Int)
    /// A constant of the graph.
    case constant(Int)
  }

  let kind: Kind
  let operands: [Operand]
  /// Its place in ``LayerGraph/results``.
  let output: Int
}

/// A network as layers, images as `[N, C, H, W]` between convolutions.
struct LayerGraph {
  let graph: Graph
  /// Shapes of the inputs and of what layers give.
  var results: [[Dimension]] = []
  var layers: [Layer] = []
  /// Places of the inputs in `results`.
  var inputs: [Int] = []
  var output = 0

  /// How often each result is used, the network's output counted.
  var uses: [Int] {
    var uses = [Int](repeating: 0, count: results.count)
    for case .result(let place) in layers.flatMap(\.operands) { uses[place] += 1 }
    uses[output] += 1
    return uses
  }
}
