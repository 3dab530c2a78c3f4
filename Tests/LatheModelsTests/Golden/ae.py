"""Golden values of `ae`: an auto-encoder with decaying decoder kernels, RAE's baseline (Ghosh et al., 2020)."""

from dataclasses import dataclass

import golden
from golden import Model, Phase, adam
from networks import A2

DECAY = 1e-3  # large, so that it shows in ten steps
CONVOLUTIONS = ("conv0", "conv1", "conv2")


def squared_kernels(run):
    """The sum of the squares of the kernels of the decoder's transposed convolutions."""
    return sum((run.values[f"decoder.{layer}.weight"] ** 2).sum() for layer in CONVOLUTIONS)


@dataclass
class AE(Model):
    model = "ae"
    latent = 4
    schedule = [("reconstruction", 0)]
    purposes = {}

    def __post_init__(self):
        self.networks = A2(self.side, self.channels)

    @property
    def configuration(self):
        return {
            "networks": "a2", "latentSize": self.latent, "filters": 2, "hiddenSize": 0,
            "decayWeight": DECAY, "learningRate": 1e-3, "halvingSteps": 0,
        }

    @property
    def phases(self):
        return [Phase("reconstruction", ("encoder", "decoder"), adam(1e-3), self.losses, True)]

    def shapes(self):
        return self.networks.encoder_shapes(self.latent) | self.networks.decoder_shapes(self.latent)

    def draws(self):
        return {}

    def losses(self, run, batch):
        """mean (x − Dec(E(x)))² + λ Σ W²."""
        codes = self.networks.encode(run, batch["images"])
        error = ((batch["images"] - self.networks.decode(run, codes)) ** 2).mean()
        decay = squared_kernels(run)
        return {"total": error + DECAY * decay, "reconstruction": error, "squared kernels": decay}


if __name__ == "__main__":
    golden.main(AE("ae", seed=3))
