import LatheFiles
import LatheData
import LatheKernels
import LatheNN
import SystemPackage
import LatheTensors

/// Trains the classifier behind ``Classifier``: cross-entropy, Adam with a rate that falls to a
/// hundredth.
public final class ClassifierTraining {
  /// What the training is like.
  public struct Configuration: Sendable {
    /// Passes over the training images.
    public var epochs = 8
    /// Images in a step.
    public var batch = 128
    /// Rate of the first step.
    public var learningRate: Float = 3e-3
    /// What parameters, order and colours are drawn from.
    public var seed: UInt64 = 0
    /// Whether grey images are coloured.
    public var isColourised = false

    public init() {}
  }

  private let configuration: Configuration
  private let train, test: LabelledImages
  private let store: ParameterStore
  private let network: ClassifierNetwork
  private let optimizer: Optimizer
  private let gradients, statisticsUpdates: Arena
  private let order: Order

  /// For sets of the same images with class names; colouring is for grey ones.
  public init(_ configuration: Configuration, train: ImageSet, test: ImageSet) {
    self.configuration = configuration
    self.train = LabelledImages(
      train, colour: configuration.isColourised, seed: configuration.seed)
    self.test = LabelledImages(test, colour: configuration.isColourised, seed: configuration.seed)
    store = ParameterStore(seed: configuration.seed)
    network = ClassifierNetwork(
      store, channels: self.train.shape.channels, classes: max(train.classNames.count, 1))
    store.layOut()
    order = Order(
      count: train.count, batch: min(configuration.batch, train.count), seed: configuration.seed)
    let steps = configuration.epochs * order.batchesPerEpoch
    optimizer = Optimizer(
      .adam(.exponentialDecay(configuration.learningRate, total: 0.01, over: max(steps, 1))),
      groups: ["classifier"], of: store)
    gradients = Arena(count: store.values.count)
    statisticsUpdates = Arena(count: store.bufferValues.count)
  }

  /// Trains all epochs; after each, `report` gets its number from 1, its mean loss in nats, and the
  /// share of the test images that are classified rightly, which is returned for the last.
  ///
  /// `progress` is told the number of steps done and of all.
  /// - Throws: whatever `report` throws.
  @discardableResult
  public func run(
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in },
    report: (_ epoch: Int, _ loss: Double, _ accuracy: Double) throws -> Void
  ) rethrows -> Double {
    let total = configuration.epochs * order.batchesPerEpoch
    var accuracy = 0.0
    for epoch in 0..<configuration.epochs {
      var sum = 0.0
      for batch in 0..<order.batchesPerEpoch {
        progress(epoch * order.batchesPerEpoch + batch, total)
        sum += Double(step(epoch * order.batchesPerEpoch + batch))
      }
      accuracy = testAccuracy()
      try report(epoch + 1, sum / Double(order.batchesPerEpoch), accuracy)
    }
    return accuracy
  }

  /// One update; returns the loss.
  private func step(_ step: Int) -> Float {
    let positions = step * order.batch..<(step + 1) * order.batch
    let (images, labels) = train.batch(
      positions.map { order.index(at: $0) }, flips: positions.map { order.isFlipped(at: $0) })
    store.bindGradientBuffers(
      of: ["classifier"], gradients: gradients.pointer,
      statisticsUpdates: statisticsUpdates.pointer,
      owner: gradients)
    let loss = crossEntropy(network(images, mode: .training), labels)
    backpropagate(loss, into: store.variables(of: ["classifier"]))
    store.unbindGradientBuffers()
    _ = optimizer.update(along: gradients.pointer, scale: 1, step: step)
    store.updateRunningStatistics(from: statisticsUpdates.pointer, slices: 1)
    return loss.scalar
  }

  /// Mean of −log softmax(scores)[label], in nats.
  private func crossEntropy(_ scores: Tensor, _ labels: [Int]) -> Tensor {
    let classes = scores.shape[1]
    let chosen = Tensor(shape: scores.shape) { pointer in
      LatheKernels.fill(pointer, with: 0, count: labels.count * classes)
      for (row, label) in labels.enumerated() { pointer[row * classes + label] = 1 }
    }
    return (scores.logSumExp(1) - (scores * chosen).sum(1)).mean()
  }

  /// Share of the test images that are classified rightly.
  public func testAccuracy() -> Double {
    let count = test.images.count
    var right = 0
    for first in stride(from: 0, to: count, by: 500) {
      let indices = Array(first..<min(count, first + 500))
      let (images, labels) = test.batch(
        indices, flips: [Bool](repeating: false, count: indices.count))
      let scores = withoutGradients { network(images, mode: .inference) }
      let (values, classes) = (scores.values, scores.shape[1])
      for (row, label) in labels.enumerated() {
        let own = values[row * classes..<(row + 1) * classes]
        right += own.max() == own[row * classes + label] ? 1 : 0
      }
    }
    return Double(right) / Double(count)
  }

  /// Saves what ``Classifier/init(reading:)`` reads.
  ///
  /// - Throws: `.unwritable` if it can't be written.
  public func write(to path: FilePath) throws(FileError) {
    let tensors = store.tensors
    let metadata = [
      "channels": "\(train.shape.channels)", "side": "\(train.shape.height)",
      "classes": "\(max(train.images.classNames.count, 1))",
      "accuracy": "\((testAccuracy() * 1e4).rounded() / 100) %",
      "trained_on": train.images.name + (configuration.isColourised ? ", coloured" : ""),
    ]
    defer { withExtendedLifetime(tensors) {} }
    try Safetensors.write(
      tensors.map {
        ($0.name, $0.shape, UnsafeBufferPointer(start: $0.storage.pointer, count: $0.storage.count))
      }, metadata: metadata, to: path)
  }
}
