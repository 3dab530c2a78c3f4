"""Golden values of `vae-iop`: the prior is the aggregated posterior, by a density ratio. Takahashi et al., AAAI 2019."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

import golden
from golden import Phase, adam, perceptron_shapes, weights
from variational import VariationalModel, divergence_from_normal

RATIO_STEPS, WARM_UP_STEPS, DROPOUT = 2, 5, 0.5
WIDTHS = [16, 16, 16]


@dataclass
class VAEIOP(VariationalModel):
    model = "vae-iop"
    schedule = [("elbo", 0), *(("ratio", 1 + repeat) for repeat in range(RATIO_STEPS))]
    purposes = {
        "noise": "posterior", "prior": "prior", "dropout": "dropout", "prior_dropout": "prior-dropout",
    }

    @property
    def configuration(self):
        own = {
            "ratioSteps": RATIO_STEPS, "ratioHidden": WIDTHS, "dropout": DROPOUT,
            "warmUpSteps": WARM_UP_STEPS, "importanceDraws": 10, "ratioRate": 2e-3,
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
        mask = (torch.rand, WIDTHS[-1:], 1)
        return {
            "noise": (torch.randn, [self.latent], 0),
            "prior": (torch.randn, [self.latent], 1),
            "dropout": mask,
            "prior_dropout": mask,
        }

    def log_ratio(self, run, z, mask=None):
        """T(z) = log q(z)/N(z; 0, I): tanh between layers, dropout before the last when there is noise for it."""
        for layer in ("layer0", "layer1", "output"):
            z = run.linear(f"ratio.hidden.{layer}", z).tanh()
        if mask is not None:
            z = torch.where(mask < DROPOUT, torch.zeros_like(z), z / (1 - DROPOUT))
        return run.linear("ratio.output", z)

    def losses(self, run, batch):
        """−E[log p(x|z)] + β (KL(q(z|x) ‖ N(0, I)) − E[T(z)]), β = min(1, (step + 1)/5)."""
        mean, deviation = self.networks.posterior(run, batch["images"])
        codes = mean + deviation * batch["noise"]
        reconstruction = self.reconstruction_loss(run, batch["images"], codes)
        divergence = divergence_from_normal(mean, deviation)
        log_ratio = self.log_ratio(run, codes).mean()
        beta = min(1, (batch["step"] + 1) / WARM_UP_STEPS)
        return {
            "total": reconstruction + beta * (divergence - log_ratio),
            "reconstruction": reconstruction, "divergence": divergence, "logRatio": log_ratio,
        }

    def ratio_losses(self, run, batch):
        """A classifier: codes are ones, draws of the prior zeros."""
        mean, deviation = self.networks.posterior(run, batch["images"])
        codes = mean + deviation * batch["noise"]
        own = self.log_ratio(run, codes, batch["dropout"])
        other = self.log_ratio(run, batch["prior"], batch["prior_dropout"])
        score = F.binary_cross_entropy_with_logits
        return {"total": score(own, torch.ones_like(own)) + score(other, torch.zeros_like(other))}


if __name__ == "__main__":
    golden.main(VAEIOP("vae-iop", seed=9, likelihood="cross-entropy"))
