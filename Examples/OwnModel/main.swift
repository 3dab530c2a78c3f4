// A model of one's own with the whole command line of lathe:
//
//   swift run -c release OwnModel train denoising fashion-mnist --steps 200
//   swift run -c release OwnModel sample runs/denoising-fashion-mnist --sampler gmm

import LatheCommand
import LatheModels
import LatheNN
import LatheTensors

/// Denoising autoencoder: it reconstructs images from noisy ones.
///
/// Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders", ICML
/// 2008, Section 2, with Gaussian noise and the squared error.
struct DenoisingAutoencoder: AutoencoderModel {
  static let name = "denoising"
  static let summary = "autoencoder that reconstructs images from noisy ones"
  static let source = "Vincent et al. 2008"
  static let defaultSampler = Sampler.Name.gmm

  typealias Group = AutoencoderGroup

  struct Configuration: AutoencoderConfiguration {
    var autoencoder = AutoencoderSettings(.mlp, latentSize: 16)
    @Setting("Standard deviation of the noise on the input.", bounds: .atLeast(0))
    var inputNoise: Float = 0.3
    @Setting("Adam's learning rate.", bounds: .atLeast(0)) var learningRate: Float = 1e-3
  }

  let configuration: Configuration
  let networks: AutoencoderNetworks

  init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = AutoencoderNetworks(scope, images: images, settings: configuration.autoencoder)
  }

  var step: [Block<Self>] {
    let adam = OptimizerRule.adam(.constant(configuration.learningRate))
    return [
      Block(
        Phase("reconstruction", updates: [.encoder, .decoder], by: adam) { $0.loss($1) })
    ]
  }

  /// E ‖x − Dec(E(x + ε))‖², ε ~ N(0, σ² I), summed over pixels.
  func loss(_ batch: Batch) -> Losses {
    let noise = configuration.inputNoise * batch.random.normal("input", batch.images.shape)
    let codes = networks.encoder(batch.images + noise, mode: .training)
    return Losses(squaredError(batch.images, networks.decoder(codes, mode: .training)))
  }
}

Lathe.main(models: .standard + [DenoisingAutoencoder.self])
