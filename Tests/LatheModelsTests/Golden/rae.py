"""Golden values of `rae`: Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020."""

from dataclasses import dataclass

import torch

import golden
from ae import squared_kernels
from golden import Model, Phase, adam
from networks import A2

CODES, DECAY, PENALTY = 1e-2, 1e-3, 1e-3  # large, so that they show in ten steps


@dataclass
class RAE(Model):
    regularization: str = "l2"

    model = "rae"
    latent = 4
    schedule = [("reconstruction", 0)]
    purposes = {}

    def __post_init__(self):
        self.networks = A2(self.side, self.channels)

    @property
    def configuration(self):
        return {
            "regularization": self.regularization, "networks": "a2", "latentSize": self.latent,
            "filters": 2, "hiddenSize": 0, "codeWeight": CODES, "decayWeight": DECAY,
            "penaltyWeight": PENALTY, "learningRate": 1e-3, "halvingSteps": 0,
        }

    @property
    def phases(self):
        return [Phase("reconstruction", ("encoder", "decoder"), adam(1e-3), self.losses, True)]

    @property
    def spectral(self):
        return self.regularization == "sn"

    def shapes(self):
        decoder = self.networks.decoder_shapes(self.latent, spectral=self.spectral)
        encoder = self.networks.encoder_shapes(self.latent, spectral=self.spectral)
        return encoder | decoder

    def draws(self):
        return {}

    def losses(self, run, batch):
        """mean (x − Dec(z))² + β mean z² + λ R, z = E(x)."""
        codes = self.networks.encode(run, batch["images"], spectral=self.spectral)
        decoded = self.networks.decode(run, codes, spectral=self.spectral)
        error, size = ((batch["images"] - decoded) ** 2).mean(), (codes**2).mean()
        terms = {"total": error + CODES * size, "reconstruction": error, "codes": size}
        if self.regularization == "l2":
            terms["squared kernels"] = squared_kernels(run)
            terms["total"] = terms["total"] + DECAY * terms["squared kernels"]
        if self.regularization == "gp":
            (slope,) = torch.autograd.grad((decoded**2).sum(), codes, create_graph=True)
            terms["penalty"] = (slope**2).mean()
            terms["total"] = terms["total"] + PENALTY * terms["penalty"]
        return terms


if __name__ == "__main__":
    penalised = RAE("rae-gp", seed=1, regularization="gp")
    golden.main(
        RAE("rae-l2", seed=1, channels=3),
        penalised,
        RAE("rae-sn", seed=5, regularization="sn"),
        RAE("rae-none", seed=3, regularization="none"),
    )
    golden.check_gradient(penalised, "reconstruction")
