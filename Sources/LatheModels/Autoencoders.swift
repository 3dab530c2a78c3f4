import LatheNN
import LatheTensors

/// Encoder and decoder of an autoencoder whose codes are numbers, not distributions.
public struct AutoencoderNetworks: LabelledDecoder {
  public let encoder: any EncoderNetwork
  public let decoder: any DecoderNetwork
  public let labels: CodeLabels?

  /// Creates the groups `encoder` and `decoder`.
  public init(_ scope: Scope, images: ImageShape, settings: AutoencoderSettings) {
    let architecture = settings.networks.architecture
    encoder = architecture.encoder(
      scope("encoder"), images: images, outputs: settings.latentSize, size: settings.size)
    decoder = architecture.decoder(
      scope("decoder"), images: images, latentSize: settings.decoderInputSize, size: settings.size)
    labels = CodeLabels(scope("decoder"), size: settings.labelSize)
  }
}

/// A model of an encoder and a decoder: what they do outside of training.
public protocol AutoencoderModel: Model where Configuration: AutoencoderConfiguration {
  var configuration: Configuration { get }
  var networks: AutoencoderNetworks { get }
}

extension AutoencoderModel {
  public var labels: CodeLabels? { networks.labels }

  public func encode(_ images: Tensor) -> Tensor {
    networks.labelled(networks.encoder(images, mode: .inference), of: images)
  }

  public func decode(_ codes: Tensor) -> Tensor { networks.decoder(codes, mode: .inference) }

  /// z ~ N(0, I).
  public var samplers: [Sampler] {
    [.standardNormal(latentSize: configuration.latentSize, labels)]
  }
}

/// The two groups of a model that has an encoder and a decoder and nothing else.
public enum AutoencoderGroup: String, ParameterGroup { case encoder, decoder }
