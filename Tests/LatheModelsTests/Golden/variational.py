"""What the golden models of variational auto-encoders share: networks, posterior, likelihoods, divergence."""

import math
from dataclasses import dataclass

import torch

from golden import Model, floored_log, mean_of_sums
from networks import A1


@dataclass
class VariationalModel(Model):
    """On networks A1, with one draw of images and noise `posterior` a step, unless a script says otherwise."""

    likelihood: str = "fixed-variance"

    networks_name = "a1"
    latent = 4
    rate = 1e-3

    def __post_init__(self):
        self.networks = A1(self.side, self.channels)

    @property
    def shared_configuration(self):
        """The rates are above those of the recipes: ten steps of a narrow net should move."""
        return {
            "likelihood": self.likelihood, "networks": self.networks_name, "latentSize": self.latent,
            "filters": 4, "hiddenSize": 16, "learningRate": self.rate,
        }

    def network_shapes(self, outputs=None):
        return {
            **self.networks.encoder_shapes(outputs or 2 * self.latent),
            **self.networks.decoder_shapes(self.latent),
            **({"decoder.log_gamma": [1]} if self.likelihood == "learned-variance" else {}),
        }

    def shapes(self):
        return self.network_shapes()

    purposes = {"noise": "posterior"}

    def draws(self):
        return {"noise": (torch.randn, [self.latent], 0)}

    def batch(self, data, step, draw):
        return {**super().batch(data, step, draw), "step": step}

    def reconstruction_loss(self, run, x, codes):
        """−log p(x|z) in nats per image."""
        y = self.networks.decode(run, codes)
        if self.likelihood == "cross-entropy":
            return -mean_of_sums(x * floored_log(y) + (1 - x) * floored_log(1 - y))
        fixed = torch.zeros(1, dtype=x.dtype)
        log_gamma = run.values.get("decoder.log_gamma", fixed)
        error = (x - y) / log_gamma.exp()
        return mean_of_sums(error**2 / 2 + log_gamma + 0.5 * math.log(2 * math.pi))


def divergence_from_normal(mean, deviation):
    """KL(N(mean, deviation²) ‖ N(0, I)), averaged over the batch."""
    return mean_of_sums(0.5 * (mean**2 + deviation**2 - 2 * deviation.log() - 1))


def log_normal(z, mean=0.0, deviation=torch.ones(())):
    """log N(z; mean, deviation²), summed over the last axis."""
    return torch.distributions.Normal(mean, deviation.to(z.dtype)).log_prob(z).sum(-1)
