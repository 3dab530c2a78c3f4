import LatheDistributed
import LatheData
import LatheKernels
import LatheNN
import LatheModels
import LatheTensors
import LatheTraining

/// A model, its optimizers and random images, ready to make steps.
final class BenchWorkload {
  /// Autoencoders with networks A1 and A2, and a whole step of FlexAE.
  static let names = ["ae-a1", "ae-a2", "flexae"].flatMap { model in
    sets.map { "\(model)-\($0.name)" }
  }

  private static let sets = [
    (name: "mnist", shape: ImageShape(height: 28, width: 28, channels: 1), latentSize: 32),
    (name: "cifar", shape: ImageShape(height: 32, width: 32, channels: 3), latentSize: 128),
    (name: "celeba", shape: ImageShape(height: 64, width: 64, channels: 3), latentSize: 128),
  ]

  /// Trained values.
  let parameterCount: Int
  private let runner: StepRunner
  private let images: [Int: Tensor]

  /// `batch` images for each rank. Collective.
  init(
    _ name: String, batch: Int, precision: Precision, _ overlap: Overlap, _ wire: Wire,
    on world: Communicator
  ) throws {
    let parts = name.split(separator: "-").map(String.init)
    let set = BenchWorkload.sets.first { $0.name == parts.last }!
    let store = ParameterStore(seed: 0)
    var shape = set.shape
    let blocks: [BoundBlock]
    if parts[0] == "flexae" {
      blocks = try BenchWorkload.flexae(store, shape)
    } else {
      // A2 halves its images four times: MNIST's are padded to 32 × 32.
      if parts[1] == "a2" && shape.height == 28 { (shape.height, shape.width) = (32, 32) }
      blocks = BenchWorkload.autoencoder(
        parts[1] == "a1" ? .flexaeConv : .raeConv, store, shape, latentSize: set.latentSize)
    }
    parameterCount = store.parameterCount()
    let random = RandomSource(seed: 0)
    var options = UpdateOptions()
    options.wire = wire
    runner = try StepRunner(
      blocks, store, on: world, slices: world.size, overlap: overlap, random: random,
      precision: precision, updates: options)
    let size: Shape = [batch, shape.height, shape.width, shape.channels]
    images = Dictionary(
      uniqueKeysWithValues: runner.ownSlices.map {
        ($0, random.derived("images").derived($0).uniform("images", size))
      })
  }

  func run(step: Int) throws { _ = try runner.run(step: step) { _, slice in images[slice]! } }

  /// Collective.
  func finish() throws { try runner.free() }

  private static func flexae(_ store: ParameterStore, _ images: ImageShape) throws -> [BoundBlock] {
    let entry = try model(named: "flexae")
    let model = try entry.make(store.root, images, entry.resolve([:], images, 1000))
    store.layOut()
    return model.boundStep
  }

  /// Squared error summed over pixels, Adam 2e-4.
  private static func autoencoder(
    _ networks: Networks, _ store: ParameterStore, _ images: ImageShape, latentSize m: Int
  ) -> [BoundBlock] {
    let (encoder, decoder) = (store.root("encoder"), store.root("decoder"))
    let encode = networks.architecture.encoder(
      encoder, images: images, outputs: m, size: NetworkSize())
    let decode = networks.architecture.decoder(
      decoder, images: images, latentSize: m, size: NetworkSize())
    store.layOut()
    let phase = BoundPhase(
      name: "reconstruction", groups: ["encoder", "decoder"], rule: .adam(2e-4),
      loss: { batch in
        let codes = encode(batch.images, mode: .training)
        return Losses(squaredError(batch.images, decode(codes, mode: .training)))
      })
    return [BoundBlock(phases: [phase])]
  }
}
