"""Golden values of `vae`: Kingma & Welling, 2014, with the networks and likelihoods of Dai & Wipf, 2019."""

import math
from dataclasses import dataclass

import torch

import golden
from golden import Model, Phase, adam, floored_log, mean_of_sums
from networks import A4


@dataclass
class VAE(Model):
    likelihood: str = "cross-entropy"
    decay: float = 0.999
    epsilon: float = 1e-5

    model = "vae"
    latent = 4
    schedule = [("elbo", 0)]
    purposes = {"noise": "posterior"}

    def __post_init__(self):
        self.networks = A4(self.side, self.channels)

    @property
    def configuration(self):
        """The rate is ten times that of the paper's code: ten steps of a narrow net should move."""
        return {
            "likelihood": self.likelihood, "networks": "a4", "latentSize": self.latent, "filters": 4,
            "hiddenSize": 16, "learningRate": 1e-3, "halvingSteps": 0,
        }

    @property
    def phases(self):
        return [Phase("elbo", ("encoder", "decoder"), adam(1e-3), self.losses, True)]

    def shapes(self):
        return {
            **self.networks.encoder_shapes(2 * self.latent),
            **self.networks.decoder_shapes(self.latent),
            **({"decoder.log_gamma": [1]} if self.likelihood == "learned-variance" else {}),
        }

    def draws(self):
        return {"noise": (torch.randn, [self.latent], 0)}

    def reconstruction_loss(self, run, x, y):
        """−log p(x|z) in nats per image."""
        if self.likelihood == "cross-entropy":
            return -mean_of_sums(x * floored_log(y) + (1 - x) * floored_log(1 - y))
        fixed = torch.zeros(1, dtype=x.dtype)
        log_gamma = run.values.get("decoder.log_gamma", fixed)
        error = (x - y) / log_gamma.exp()
        return mean_of_sums(error**2 / 2 + log_gamma + 0.5 * math.log(2 * math.pi))

    def losses(self, run, batch):
        """−E[log p(x|z)] + KL(q(z|x) ‖ N(0, I)), z = mean + deviation · noise."""
        mean, deviation = self.networks.posterior(run, batch["images"])
        reconstruction = self.networks.decode(run, mean + deviation * batch["noise"])
        divergence = mean_of_sums(0.5 * (mean**2 + deviation**2 - 2 * deviation.log() - 1))
        reconstruction = self.reconstruction_loss(run, batch["images"], reconstruction)
        return {
            "total": reconstruction + divergence,
            "reconstruction": reconstruction,
            "divergence": divergence,
        }


if __name__ == "__main__":
    golden.main(
        VAE("vae-cross-entropy", seed=29),
        VAE("vae-fixed-variance", seed=4, likelihood="fixed-variance"),
        VAE("vae-learned-variance", seed=23, side=12, channels=3, likelihood="learned-variance"),
    )
