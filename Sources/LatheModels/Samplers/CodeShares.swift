import LatheFiles
import LatheKernels
import LatheTensors

/// Codes of training images, shared out among processes that fit a sampler together.
///
/// The codes are cut into the same shares whatever the number of processes, and what is computed of
/// each share is combined in the order of the shares: the result has the same bits for any number
/// of them.
public struct CodeShares {
  /// How many shares there are: more processes than this do not help.
  public static let shareCount = 16

  /// Consecutive codes.
  public struct Share {
    /// Which share this is.
    public let number: Int
    /// `[count, latentSize]`, last axis fastest.
    public let codes: [Double]
    public let count: Int

    public init(number: Int, codes: [Double], latentSize: Int) {
      require(
        codes.count % latentSize == 0, "Share: \(codes.count) values in codes of \(latentSize)")
      self.number = number
      self.codes = codes
      count = codes.count / latentSize
    }
  }

  /// Codes over all processes.
  public let count: Int
  public let latentSize: Int
  let own: [Share]
  let gather: ([Double]) throws -> [Double]
  /// Trains a network on codes, as if one process did. Collective.
  public let train: (CodeTraining) throws -> Void

  /// `own` are this process's shares, and `gather` puts together what the processes pass, in the
  /// order of their shares.
  public init(
    count: Int, latentSize: Int, own: [Share], train: @escaping (CodeTraining) throws -> Void,
    gather: @escaping ([Double]) throws -> [Double]
  ) {
    (self.count, self.latentSize, self.own) = (count, latentSize, own)
    (self.train, self.gather) = (train, gather)
  }

  /// All codes in this process, `[count, latentSize]`; `train` is for samplers that have a network.
  public init(
    _ codes: [Double], latentSize: Int,
    train: @escaping (CodeTraining) throws -> Void = { _ in trap("CodeShares: nobody trains") }
  ) {
    let count = codes.count / latentSize
    let own = (0..<CodeShares.shareCount).map { number in
      let rows = CodeShares.range(ofShare: number, outOf: count)
      return Share(
        number: number,
        codes: Array(codes[rows.lowerBound * latentSize..<rows.upperBound * latentSize]),
        latentSize: latentSize)
    }
    self.init(count: count, latentSize: latentSize, own: own, train: train) { $0 }
  }

  /// Which of `count` things belong to a share.
  public static func range(ofShare number: Int, outOf count: Int) -> Range<Int> {
    number * count / shareCount..<(number + 1) * count / shareCount
  }

  /// What `body` makes of each share, one after another; on every process. Collective.
  ///
  /// Each share's result has a length that depends on the share alone.
  /// - Throws: what the exchange throws.
  public func concatenated(_ body: (Share) -> [Double]) throws -> [Double] {
    var results = [[Double]](repeating: [], count: own.count)
    results.withUnsafeMutableBufferPointer { results in
      let results = results
      Workers.forEach(own.count) { piece, _ in results[piece] = body(own[piece]) }
    }
    return try gather(Array(results.joined()))
  }

  /// What `body` makes of each share, as many numbers for each, in the order of the shares.
  /// Collective.
  public func all(_ body: (Share) -> [Double]) throws -> [ArraySlice<Double>] {
    let joined = try concatenated(body)
    let length = joined.count / CodeShares.shareCount
    return (0..<CodeShares.shareCount).map { joined[$0 * length..<($0 + 1) * length] }
  }

  /// The sum over the shares of what `body` makes of each, as many numbers for each; added in the
  /// order of the shares. Collective.
  public func sum(_ body: (Share) -> [Double]) throws -> [Double] {
    let parts = try all(body)
    var sum = Array(parts[0])
    for part in parts.dropFirst() {
      part.withUnsafeBufferPointer { part in
        for index in 0..<part.count { sum[index] += part[index] }
      }
    }
    return sum
  }
}
