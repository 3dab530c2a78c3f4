import LatheFiles
import LatheTensors

/// What a score asks of the ranks that share its samples. Each call is collective.
public protocol Gathering {
  /// The sums over all ranks, element by element, the same on every rank.
  func sum(_ values: [Double]) throws -> [Double]
  /// Every rank's bytes in the order of ranks, the same on every rank; counts may differ.
  func concatenate(_ bytes: [UInt8]) throws -> [UInt8]
}

/// One process with all the samples.
public struct SingleRank: Gathering {
  /// A group of one.
  public init() {}

  public func sum(_ values: [Double]) -> [Double] { values }
  public func concatenate(_ bytes: [UInt8]) -> [UInt8] { bytes }
}

extension Gathering {
  /// Every rank's values in the order of ranks.
  public func concatenate<Value: BitwiseCopyable>(_ values: [Value]) throws -> [Value] {
    let bytes = try concatenate(values.withUnsafeBytes { [UInt8]($0) })
    let size = MemoryLayout<Value>.stride
    require(
      bytes.count.isMultiple(of: size), "Gathering: \(bytes.count) bytes in values of \(size)")
    return [Value](unsafeUninitializedCapacity: bytes.count / size) { buffer, count in
      UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
      count = buffer.count
    }
  }

  /// All ranks' vectors in the order of sample numbers, so that what is computed from them has the
  /// same bits whatever the number of ranks. A sample that several ranks hold counts once.
  ///
  /// - Parameter samples: The number of each vector's sample.
  public func gather(_ features: Features, samples: [Int]) throws -> Features {
    require(
      samples.count == features.count,
      "Gathering: \(samples.count) numbers for \(features.count) vectors")
    let numbers = try concatenate(samples)
    let all = Features(try concatenate(features.values), dimensions: features.dimensions)
    let order = numbers.indices.sorted { (numbers[$0], $0) < (numbers[$1], $1) }
    let once = order.indices.filter { $0 == 0 || numbers[order[$0]] != numbers[order[$0 - 1]] }
    return all[rows: once.map { order[$0] }]
  }
}
