import LatheFiles
import LatheTensors

/// A graph of ONNX as it is written: nodes and constants, in the order in which they are added.
///
/// Field numbers are those of `onnx/onnx.proto`, version 1.
struct ONNXGraph {
  /// An attribute of a node.
  enum Attribute {
    case int(Int)
    case ints([Int])
    case float(Float)
  }

  private(set) var message: ProtocolBuffer
  private var names: Set<String> = []

  init(_ name: String) { message = ProtocolBuffer { $0.add(2, name) } }

  /// The name, or with a number behind it where it is taken.
  mutating func unique(_ name: String) -> String {
    var candidate = name
    var number = 1
    while !names.insert(candidate).inserted {
      number += 1
      candidate = "\(name)_\(number)"
    }
    return candidate
  }

  /// An operator of the standard set; an input without a name is left out.
  mutating func add(
    _ kind: String, _ inputs: [String], to output: String,
    _ attributes: KeyValuePairs<String, Attribute> = [:]
  ) {
    message.add(1) { node in
      for input in inputs { node.add(1, input) }
      node.add(2, output)
      node.add(3, output)
      node.add(4, kind)
      for (name, value) in attributes { node.add(5) { Self.write(name, value, to: &$0) } }
    }
  }

  /// A constant of float32.
  mutating func add(_ name: String, _ tensor: Tensor) {
    tensor.withValues { values in
      write(name, tensor.shape.sizes, type: 1, UnsafeRawBufferPointer(values))
    }
  }

  /// A constant of int64, a vector.
  mutating func add(_ name: String, _ numbers: [Int]) {
    let values = numbers.map { Int64($0).littleEndian }
    values.withUnsafeBytes { write(name, [numbers.count], type: 7, $0) }
  }

  /// Images, codes or noise: an input of the network, or its output.
  mutating func add(_ name: String, _ shape: [Dimension], isInput: Bool, meaning: String) {
    message.add(isInput ? 11 : 12) { info in
      info.add(1, name)
      info.add(2) { type in type.add(1) { Self.write(shape, to: &$0) } }
      info.add(3, meaning)
    }
  }

  private mutating func write(
    _ name: String, _ sizes: [Int], type: Int, _ bytes: UnsafeRawBufferPointer
  ) {
    message.add(5) { tensor in
      for size in sizes { tensor.add(1, size) }
      tensor.add(2, type)
      tensor.add(8, name)
      tensor.add(9, bytes)
    }
  }

  private static func write(_ name: String, _ value: Attribute, to message: inout ProtocolBuffer) {
    message.add(1, name)
    switch value {
    case .float(let number):
      message.add(2, number)
      message.add(20, 1)
    case .int(let number):
      message.add(3, number)
      message.add(20, 2)
    case .ints(let numbers):
      for number in numbers { message.add(8, number) }
      message.add(20, 7)
    }
  }

  /// float32 of a shape, `N` the size of the batch.
  private static func write(_ shape: [Dimension], to type: inout ProtocolBuffer) {
    type.add(1, 1)
    type.add(2) { message in
      for dimension in shape {
        message.add(1) { one in
          switch dimension {
          case .fixed(let size): one.add(1, size)
          case .batch(let times): one.add(2, times == 1 ? "N" : "\(times)N")
          }
        }
      }
    }
  }
}

extension ONNXGraph {
  /// The model of the graph, for a file: version 8 of the format, operators of version 17.
  func model(writtenBy program: String, version: String, metadata: [(key: String, value: String)])
    -> [UInt8]
  {
    ProtocolBuffer { model in
      model.add(1, 8)
      model.add(2, program)
      model.add(3, version)
      model.add(7, message.bytes)
      model.add(8) { set in
        set.add(1, "")
        set.add(2, 17)
      }
      for (key, value) in metadata {
        model.add(14) { entry in
          entry.add(1, key)
          entry.add(2, value)
        }
      }
    }.bytes
  }
}
