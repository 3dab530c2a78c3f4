"""Golden values of `ncp-vae`: a classifier of a variational autoencoder's codes and the prior's. Aneja et al., NeurIPS 2021.

The autoencoder is trained in three steps, the classifier in the others.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

import golden
from golden import Phase, adam, perceptron_shapes, weights
from two_stage_vae import Inference
from variational import VariationalModel, divergence_from_normal

WIDTHS = [16, 16, 16]


@dataclass
class NCPVAE(VariationalModel):
    model = "ncp-vae"
    schedule = [("elbo", 0), ("ratio", 1)]
    stages = {"elbo": range(0, 3), "ratio": range(3, 10)}
    purposes = {"noise": "posterior", "prior": "prior"}

    @property
    def configuration(self):
        own = {
            "firstStageSteps": 3, "ratioHidden": WIDTHS, "ratioRate": 2e-3, "importanceDraws": 10,
            "langevinSteps": 5, "langevinRate": 0.1,
        }
        return {**self.shared_configuration, **own}

    @property
    def phases(self):
        return [
            Phase("elbo", ("encoder", "decoder"), adam(self.rate), self.losses, True),
            Phase("ratio", ("ratio",), adam(2e-3), self.ratio_losses),
        ]

    def shapes(self):
        return {
            **self.network_shapes(),
            **perceptron_shapes("ratio.hidden", self.latent, WIDTHS[:-1], WIDTHS[-1]),
            **weights("ratio.output", WIDTHS[-1], 1),
        }

    def draws(self):
        return {"noise": (torch.randn, [self.latent], 0), "prior": (torch.randn, [self.latent], 1)}

    def losses(self, run, batch):
        mean, deviation = self.networks.posterior(run, batch["images"])
        codes = mean + deviation * batch["noise"]
        reconstruction = self.reconstruction_loss(run, batch["images"], codes)
        divergence = divergence_from_normal(mean, deviation)
        return {
            "total": reconstruction + divergence, "reconstruction": reconstruction, "divergence": divergence,
        }

    def ratio_losses(self, run, batch):
        """A classifier: codes, which the autoencoder gives in inference, are ones, draws of the prior zeros."""
        first = Inference(run.values, run.decay, run.epsilon)
        mean, deviation = self.networks.posterior(first, batch["images"])
        run.margin = min(run.margin, first.margin)
        own = self.log_ratio(run, mean + deviation * batch["noise"])
        prior = self.log_ratio(run, batch["prior"])
        total = F.binary_cross_entropy_with_logits(own, torch.ones_like(own))
        return {"total": total + F.binary_cross_entropy_with_logits(prior, torch.zeros_like(prior))}

    def log_ratio(self, run, z):
        for layer in ("layer0", "layer1", "output"):
            z = run.linear(f"ratio.hidden.{layer}", z).tanh()
        return run.linear("ratio.output", z)


if __name__ == "__main__":
    golden.main(NCPVAE("ncp-vae", seed=1))
