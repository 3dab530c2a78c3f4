import LatheNN
import LatheTensors

/// What RAE's family can be told: networks, one rate of Adam, and when it is halved.
public struct DeterministicSettings: SettingGroup {
  public var autoencoder = AutoencoderSettings(.raeConv, latentSize: 16)
  @Setting("Adam's learning rate.", bounds: .atLeast(0)) public var learningRate: Float = 5e-4
  @Setting(
    "Steps after which the learning rate is halved, each time; 0: never.", bounds: .atLeast(0))
  public var halvingSteps = 0

  public init() {}

  /// As in RAE's released code.
  mutating func suit(_ images: ImageShape) {
    autoencoder.latentSize = images.height >= 64 ? 64 : images.channels == 1 ? 16 : 128
    learningRate = images.height >= 64 ? 1e-3 : 5e-4
  }
}

/// A configuration of RAE's family.
public protocol DeterministicConfiguration: AutoencoderConfiguration {
  var deterministic: DeterministicSettings { get set }
}

extension DeterministicConfiguration {
  public var autoencoder: AutoencoderSettings {
    get { deterministic.autoencoder }
    set { deterministic.autoencoder = newValue }
  }
}

/// An autoencoder with one loss of encoder and decoder.
protocol DeterministicModel: AutoencoderModel
where Configuration: DeterministicConfiguration, Group == AutoencoderGroup {
  /// What the only phase is called.
  static var phaseName: String { get }

  func loss(_ batch: Batch) -> Losses
}

extension DeterministicModel {
  static var phaseName: String { "reconstruction" }

  public var step: [Block<Self>] {
    let settings = configuration.deterministic
    let rate = Schedule.stepDecay(settings.learningRate, every: settings.halvingSteps)
    return [
      Block(
        Phase(Self.phaseName, updates: [.encoder, .decoder], by: .adam(rate, epsilon: 1e-7)) {
          $0.loss($1)
        })
    ]
  }

  public func objective(_ batch: Batch) -> Tensor? { loss(batch).total }
}

/// The decoder's kernels that weight decay applies to.
///
/// Kernels of its convolutions; for images of 64 × 64 and more the weights of its fully connected
/// layers too, as in the released code of RAE, and where there are no convolutions.
struct DecayedKernels {
  private let kernels: [Parameter]

  init(of decoder: Scope, images: ImageShape) {
    let weights = decoder.parameters.filter { $0.name.hasSuffix(".weight") }
    let convolutions = weights.filter { $0.shape.rank == 4 }
    kernels = images.height >= 64 || convolutions.isEmpty ? weights : convolutions
  }

  /// Σ W², a scalar.
  var squared: Tensor { sumOfSquares(kernels) }
}

/// Σ W² over parameters, of which there is one at least; a scalar.
func sumOfSquares(_ parameters: [Parameter]) -> Tensor {
  parameters.dropFirst().reduce(parameters[0].value.squared.sum()) {
    $0 + $1.value.squared.sum()
  }
}

/// Mean over all elements of (x − y)². Shapes: equal → a scalar.
func meanSquaredError(_ x: Tensor, _ y: Tensor) -> Tensor { (x - y).squared.mean() }
