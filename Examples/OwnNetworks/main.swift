// Networks of one's own under every model of lathe:
//
//   swift run -c release OwnNetworks train vae fashion-mnist --networks linear --steps 200

import LatheCommand
import LatheModels
import LatheNN
import LatheTensors

/// One fully connected layer each way: with a squared error, principal component analysis.
struct Linears: Architecture {
  let name = "linear"
  let summary = "one fully connected layer each way"

  func encoder(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize)
    -> any EncoderNetwork
  {
    Encoder(layer: Linear(scope("codes"), inputs: images.count, outputs: outputs))
  }

  func decoder(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize)
    -> any DecoderNetwork
  {
    Decoder(
      layer: Linear(scope("pixels"), inputs: latentSize, outputs: images.count), images: images)
  }

  struct Encoder: EncoderNetwork {
    let layer: Linear

    func callAsFunction(_ images: Tensor, mode: Mode) -> Tensor {
      layer(images.flattened, mode: mode)
    }
  }

  struct Decoder: DecoderNetwork {
    let layer: Linear
    let images: ImageShape

    func callAsFunction(_ codes: Tensor, mode: Mode) -> Tensor {
      sigmoid(layer(codes, mode: mode))
        .reshaped(to: [codes.shape[0], images.height, images.width, images.channels])
    }
  }
}

ArchitectureRegistry.register(Linears())
Lathe.main()
