import LatheFiles
import LatheKernels
import LatheModels
import LatheNN
import LatheTensors

/// The flat vector that is summed over slices: the parameters' gradients, the buffers'
/// statistics updates, the loss terms.
///
/// Each is summed alike, so all of them have the same bits for any number of ranks.
final class SliceVector {
  /// The number of floats.
  let count: Int
  /// Where the statistics updates begin, with the store's offsets.
  let statisticsStart: Int
  /// Slices of this rank whose loss in the last phase had a term that is not finite.
  private(set) var slicesNotFinite: [Int] = []

  private static let maximumTerms = 32
  private let store: ParameterStore
  private let slices: Int
  private let precision: Precision
  private let termStart: Int
  /// Names of the last phase's terms.
  private var names: [String] = []

  /// For a store that is laid out.
  init(_ store: ParameterStore, slices: Int, precision: Precision) {
    (self.store, self.slices, self.precision) = (store, slices, precision)
    statisticsStart = store.values.count
    termStart = statisticsStart + store.bufferValues.count
    count = termStart + SliceVector.maximumTerms
  }

  /// Where the gradients of a phase lie, ascending.
  func gradients(of phase: BoundPhase) -> [Range<Int>] {
    phase.groups.map(store.range).sorted { $0.lowerBound < $1.lowerBound }
  }

  /// Statistics updates and terms, which follow the gradients.
  var rest: Range<Int> { statisticsStart..<count }

  /// All that a phase writes, ascending.
  func ranges(of phase: BoundPhase) -> [Range<Int>] { gradients(of: phase) + [rest] }

  /// Mean over slices of the last phase's terms, the total first, from the sum over slices.
  func terms(in sum: UnsafePointer<Float>) -> [(name: String, value: Float)] {
    names.enumerated().map { ($1, sum[termStart + $0] / Float(slices)) }
  }

  /// Forgets which slices were not finite.
  func begin() { slicesNotFinite = [] }

  /// Writes the vector of one slice into `slot`, which `owner` keeps alive; `ready` is told each
  /// range of gradients once it is there.
  func differentiate(
    _ phase: BoundPhase, _ batch: Batch, into slot: UnsafeMutablePointer<Float>, owner: AnyObject,
    ready: (Range<Int>) -> Void = { _ in }
  ) {
    store.bindGradientBuffers(
      of: phase.groups, gradients: slot, statisticsUpdates: slot + statisticsStart, owner: owner)
    defer { store.unbindGradientBuffers() }
    withPrecision(precision) {
      let losses = phase.loss(batch)
      write([("total", losses.total)] + losses.terms, of: phase, into: slot + termStart)
      let parameters = store.parameters(of: phase.groups)
      backpropagate(losses.total, scale: 1 / Float(slices), into: parameters.map(\.value)) {
        ready(parameters[$0].range)
      }
    }
  }

  private func write(
    _ terms: [(String, Tensor)], of phase: BoundPhase, into slot: UnsafeMutablePointer<Float>
  ) {
    require(terms.count <= SliceVector.maximumTerms, "\(phase.name): \(terms.count) loss terms")
    for (place, term) in terms.enumerated() { slot[place] = term.1.scalar }
    names = terms.map(\.0)
  }

  /// Notes whether the terms of a slice that has been differentiated are finite.
  func check(_ slice: Int, _ slot: UnsafePointer<Float>) {
    let terms = slot + termStart
    if !names.indices.allSatisfy({ terms[$0].isFinite }) { slicesNotFinite.append(slice) }
  }
}
