import LatheNN
import LatheTensors

/// Encoder and decoder of an autoencoder whose codes are numbers, not distributions; the kernels that decay.
struct EncoderDecoder {
  let encoder: any EncoderNetwork
  let decoder: any DecoderNetwork
  /// Kernels of the decoder's convolutions; for images of 64 × 64 and more the weights of its fully connected layers too,
  /// as in the released code of RAE, and where there are no convolutions.
  private let kernels: [Parameter]

  init(
    _ scope: Scope, _ architecture: AnyArchitecture, images: ImageShape, latentSize: Int,
    size: NetworkSize,
    spectrallyNormalizedDecoder: Bool = false
  ) {
    encoder = architecture.encoder(
      scope("encoder"), images: images, outputs: latentSize, size: size)
    let place = scope("decoder")
    decoder = architecture.decoder(
      spectrallyNormalizedDecoder ? place.spectrallyNormalized : place, images: images,
      latentSize: latentSize, size: size)
    let weights = place.parameters.filter { $0.name.hasSuffix(".weight") }
    let convolutions = weights.filter { $0.shape.rank == 4 }
    kernels = images.height >= 64 || convolutions.isEmpty ? weights : convolutions
  }

  /// Σ W² over the decoder's kernels, a scalar.
  var squaredKernels: Tensor {
    kernels.dropFirst().reduce(kernels[0].value.squared.sum()) { $0 + $1.value.squared.sum() }
  }
}

/// Mean over all elements of (x − y)². Shapes: equal → a scalar.
func meanSquaredError(_ x: Tensor, _ y: Tensor) -> Tensor { (x - y).squared.mean() }

/// The latent sizes of RAE's released code.
func publishedLatentSize(_ images: ImageShape) -> Int {
  images.height >= 64 ? 64 : images.channels == 1 ? 16 : 128
}
