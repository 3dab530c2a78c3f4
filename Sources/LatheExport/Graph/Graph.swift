import LatheTensors

/// What a network computes, as it was recorded: operations on tensors as they lie in memory.
struct Graph {
  /// A tensor of the network: an input, a constant, or what a node gives.
  struct Value {
    let shape: [Dimension]
    /// The values that it had when it was recorded.
    let recorded: Tensor
    /// The path of the parameter or buffer that it is.
    let parameter: String?
    /// Whether it depends on the inputs.
    let isDynamic: Bool
    /// The node that gives it; nil for an input and a leaf.
    let node: Int?
  }

  /// An operation of values.
  struct Node {
    let operation: Operation
    let inputs: [Int]
    let output: Int
  }

  /// A value that comes from outside.
  struct Input {
    let name: String
    /// Standard normal or uniform numbers, an image, a code: for a description.
    let meaning: String
    let value: Int
  }

  let name: String
  let values: [Value]
  let nodes: [Node]
  let inputs: [Input]
  let output: (name: String, meaning: String, value: Int)
}

/// Why a network cannot be written in another program's words.
public struct ExportError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
