"""Golden values of `factor-vae`: a penalty on the total correlation of the codes. Kim and Mnih, ICML 2018."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

import golden
from golden import Phase, adam, perceptron_shapes
from variational import VariationalModel, divergence_from_normal

GAMMA, WIDTHS = 10.0, [16] * 6


@dataclass
class FactorVAE(VariationalModel):
    model = "factor-vae"
    schedule = [("elbo", 0), ("discriminator", 0)]
    purposes = {"noise": "posterior", "order": "permutation"}

    @property
    def configuration(self):
        own = {"gamma": GAMMA, "discriminatorHidden": WIDTHS, "discriminatorRate": 2e-3}
        return {**self.shared_configuration, **own}

    @property
    def phases(self):
        betas = (0.5, 0.9)
        judge = Phase("discriminator", ("discriminator",), adam(2e-3, betas), self.discriminator_losses)
        return [Phase("elbo", ("encoder", "decoder"), adam(self.rate), self.losses, True), judge]

    def shapes(self):
        discriminator = perceptron_shapes("discriminator", self.latent, WIDTHS, 2)
        return {**self.network_shapes(), **discriminator}

    def draws(self):
        return {
            "noise": (torch.randn, [self.latent], 0), "order": (torch.rand, [self.latent], 0),
        }

    def logits(self, run, z):
        """Of "drawn together" and "permuted"."""
        for layer in range(len(WIDTHS)):
            z = run.relu(run.linear(f"discriminator.layer{layer}", z), 0.2)
        return run.linear("discriminator.output", z)

    def codes(self, run, batch):
        mean, deviation = self.networks.posterior(run, batch["images"])
        return mean, deviation, mean + deviation * batch["noise"]

    def losses(self, run, batch):
        """−E[log p(x|z)] + KL(q(z|x) ‖ N(0, I)) + γ E[d₀(z) − d₁(z)]."""
        mean, deviation, codes = self.codes(run, batch)
        reconstruction = self.reconstruction_loss(run, batch["images"], codes)
        divergence = divergence_from_normal(mean, deviation)
        logits = self.logits(run, codes)
        correlation = (logits[:, 0] - logits[:, 1]).mean()
        return {
            "total": reconstruction + divergence + GAMMA * correlation,
            "reconstruction": reconstruction, "divergence": divergence,
            "totalCorrelation": correlation,
        }

    def discriminator_losses(self, run, batch):
        """½ CE(d(z), 0) + ½ CE(d(z′), 1), z′ the codes with each coordinate permuted by itself."""
        codes = self.codes(run, batch)[2].detach()
        permuted = codes.gather(0, batch["order"].argsort(0))
        classes = torch.zeros(len(codes), dtype=torch.long)
        joint = F.cross_entropy(self.logits(run, codes), classes)
        return {"total": 0.5 * joint + 0.5 * F.cross_entropy(self.logits(run, permuted), classes + 1)}


if __name__ == "__main__":
    golden.main(FactorVAE("factor-vae", seed=1, likelihood="cross-entropy"))
