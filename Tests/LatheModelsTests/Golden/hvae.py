"""Golden values of `hvae`: Davidson et al., "Hyperspherical Variational Auto-Encoders", UAI 2018.

    python3 hvae.py SOURCE      # SOURCE: a checkout of nicola-decao/s-vae-pytorch

Draws and divergence are those that the released program computes, not ours: its distribution is called, with the noise
of the file in the place of what it draws itself.
"""

import sys
from dataclasses import dataclass
from unittest import mock

import torch
import torch.nn.functional as F

import golden
from golden import Model, Phase, adam, floored_log, mean_of_sums
from networks import A1

sys.path.insert(0, sys.argv[1] if len(sys.argv) > 1 else "")
from hyperspherical_vae.distributions import HypersphericalUniform, VonMisesFisher  # noqa: E402

LATENT, PROPOSALS = 4, 32


def drawing(values):
    """A distribution whose draws are given."""
    return lambda *parameters: mock.Mock(sample=lambda shape: values)


@dataclass
class HVAE(Model):
    model = "hvae"
    schedule = [("elbo", 0)]
    purposes = {"tangent": "tangent", "proposals": "proposals", "chances": "chances"}

    def __post_init__(self):
        self.networks = A1(self.side, self.channels)

    @property
    def configuration(self):
        return {
            "latentSize": LATENT, "networks": "a1", "filters": self.networks.filters, "hiddenSize": 16,
            "learningRate": 1e-3,
        }

    @property
    def phases(self):
        return [Phase("elbo", ("encoder", "decoder"), adam(1e-3), self.losses, True)]

    def shapes(self):
        return self.networks.encoder_shapes(LATENT + 1) | self.networks.decoder_shapes(LATENT)

    def draws(self):
        return {
            "tangent": (torch.randn, [LATENT - 1], 0),
            "proposals": (torch.randn, [PROPOSALS * LATENT], 0),
            "chances": (torch.rand, [PROPOSALS], 0),
        }

    def drawn(self, posterior, batch):
        """z ~ q, by the program's rejection."""
        count = len(batch["tangent"])
        points = batch["proposals"].view(count, PROPOSALS, LATENT)
        beta = 0.5 + 0.5 * points[..., 0] / points.norm(dim=-1)
        tangent = F.pad(batch["tangent"], (1, 0))
        with (
            mock.patch("torch.distributions.Beta", drawing(beta)),
            mock.patch("torch.distributions.Uniform", drawing(batch["chances"])),
            mock.patch("torch.distributions.Normal", drawing(tangent)),
        ):
            return posterior.rsample()

    def losses(self, run, batch):
        outputs = self.networks.encode(run, batch["images"])
        direction, raw = outputs[:, :LATENT], outputs[:, LATENT:]
        mean = direction / direction.norm(dim=-1, keepdim=True)
        posterior = VonMisesFisher(mean, F.softplus(raw) + 1, k=PROPOSALS)
        decoded = self.networks.decode(run, self.drawn(posterior, batch))
        x = batch["images"]
        reconstruction = -mean_of_sums(x * floored_log(decoded) + (1 - x) * floored_log(1 - decoded))
        prior = HypersphericalUniform(LATENT - 1)
        divergence = torch.distributions.kl.kl_divergence(posterior, prior).mean()
        total = reconstruction + divergence
        return {"total": total, "reconstruction": reconstruction, "divergence": divergence}


if __name__ == "__main__":
    # Its Bessel functions are of the default type.
    torch.set_default_dtype(torch.float64)
    golden.main(HVAE("hvae", seed=2))
