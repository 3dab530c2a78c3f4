"""Golden values of `wae-mmd` and `wae-gan`. Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR 2018."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

import golden
from golden import Model, Phase, adam, mean_of_sums, perceptron_shapes
from networks import A1, A3

LATENT, NOISE = 4, 0.01
RECONSTRUCTION_WEIGHT, WEIGHT = 0.05, 10.0
WIDTHS = [16] * 4
SCALES = (0.1, 0.2, 0.5, 1, 2, 5, 10)


def truncated_normal(shape, generator, dtype):
    return torch.nn.init.trunc_normal_(torch.empty(shape, dtype=dtype), a=-2, b=2, generator=generator)


@dataclass
class WAE(Model):
    networks_name: str = "a3"
    milestone: int = 0

    purposes = {"noise": "input", "prior": "prior"}

    def __post_init__(self):
        network = {"a1": A1, "a3": A3}[self.networks_name]
        self.networks = network(self.side, self.channels)

    def common(self):
        return {
            "latentSize": LATENT, "networks": self.networks_name, "filters": self.networks.filters,
            "hiddenSize": 16, "inputNoise": NOISE, "reconstructionWeight": RECONSTRUCTION_WEIGHT,
            "learningRate": 1e-3, "decaySteps": 0,
            "milestones": [self.milestone] if self.milestone else [],
            "milestoneFactors": [0.5] if self.milestone else [],
        }

    def shapes(self):
        return self.networks.encoder_shapes(LATENT) | self.networks.decoder_shapes(LATENT)

    def draws(self):
        pixels = [self.side, self.side, self.channels]
        return {"noise": (truncated_normal, pixels, 0), "prior": (torch.randn, [LATENT], 0)}

    def rule(self, rate):
        """Adam, its rate halved from the milestone on."""
        first = self.stages["autoencoder"].start if self.stages else 0
        updates = self.milestone - first if self.milestone else 0
        return lambda epsilon: Halved(adam(rate, (0.5, 0.999))(epsilon), updates)

    def encode(self, run, batch):
        return self.networks.encode(run, batch["images"] + NOISE * batch["noise"])

    def reconstruction(self, run, batch, codes):
        error = (batch["images"] - self.networks.decode(run, codes)) ** 2
        return RECONSTRUCTION_WEIGHT * mean_of_sums(error)


class Halved:
    """An optimizer whose rate is halved after so many updates, each step one; 0 for never."""

    def __init__(self, optimizer, updates):
        self.optimizer, self.updates = optimizer, updates

    def update(self, values, gradients):
        if self.updates and self.optimizer.steps == self.updates:
            self.optimizer.rate /= 2
        return self.optimizer.update(values, gradients)


@dataclass
class WAEMMD(WAE):
    kernel: str = "imq"
    pretraining: int = 0

    model = "wae-mmd"

    @property
    def schedule(self):
        return [("pretraining", 0), ("autoencoder", 1)] if self.pretraining else [("autoencoder", 0)]

    @property
    def stages(self):
        if not self.pretraining:
            return {}
        return {
            "pretraining": range(self.pretraining),
            "autoencoder": range(self.pretraining, golden.STEPS),
        }

    @property
    def configuration(self):
        """The rate is that of the paper's code."""
        return self.common() | {
            "kernel": self.kernel, "discrepancyWeight": WEIGHT, "pretrainingSteps": self.pretraining,
        }

    @property
    def phases(self):
        both, moment_rule = ("encoder", "decoder"), adam(1e-3, (0.5, 0.999))
        pretraining = Phase("pretraining", ("encoder",), moment_rule, self.pretraining_losses, True)
        return [
            Phase("autoencoder", both, self.rule(1e-3), self.losses, True),
        ] + ([pretraining] if self.pretraining else [])

    def similarity(self, a, b):
        distance = ((a[:, None] - b[None]) ** 2).sum(2)
        if self.kernel == "rbf":
            return (-distance / (2 * LATENT)).exp()
        return sum(s * 2 * LATENT / (s * 2 * LATENT + distance) for s in SCALES)

    def discrepancy(self, q, p):
        """Unbiased squared maximum mean discrepancy."""
        n = len(q)
        within = self.similarity(q, q) + self.similarity(p, p)
        within = within.sum() - within.diagonal().sum()
        return within / (n * (n - 1)) - 2 * self.similarity(q, p).mean()

    def losses(self, run, batch):
        """0.05 Σ (x − Dec(z))² + λ MMD(z, p), z = E(x + ε)."""
        codes = self.encode(run, batch)
        reconstruction = self.reconstruction(run, batch, codes)
        discrepancy = self.discrepancy(codes, batch["prior"])
        total = reconstruction + WEIGHT * discrepancy
        return {"total": total, "reconstruction": reconstruction, "discrepancy": discrepancy}

    def pretraining_losses(self, run, batch):
        """mean (E z − E p)² + mean (Cov z − Cov p)²."""
        codes, prior = self.encode(run, batch), batch["prior"]
        means = ((codes.mean(0) - prior.mean(0)) ** 2).mean()
        covariances = ((codes.T.cov() - prior.T.cov()) ** 2).mean()
        return {"total": means + covariances, "means": means, "covariances": covariances}


@dataclass
class WAEGAN(WAE):
    prior_density: bool = False

    model = "wae-gan"
    schedule = [("autoencoder", 0), ("discriminator", 0)]

    @property
    def configuration(self):
        """The rates are those of the paper's code."""
        return self.common() | {
            "adversarialWeight": WEIGHT, "discriminatorRate": 5e-4, "discriminatorHidden": WIDTHS,
            "priorDensityInLogit": self.prior_density,
        }

    @property
    def phases(self):
        both = ("encoder", "decoder")
        return [
            Phase("autoencoder", both, self.rule(1e-3), self.autoencoder_losses, True),
            Phase("discriminator", ("discriminator",), self.rule(5e-4), self.discriminator_losses),
        ]

    def shapes(self):
        return super().shapes() | perceptron_shapes("discriminator", LATENT, WIDTHS, 1)

    def logit(self, run, z):
        learned = run.perceptron("discriminator", z).squeeze(1)
        if not self.prior_density:
            return learned
        return learned - (z**2).sum(1) / 2 - 0.5 * math.log(2 * math.pi)

    def cross_entropy(self, run, z, label):
        logit = self.logit(run, z)
        return F.binary_cross_entropy_with_logits(logit, torch.full_like(logit, label))

    def autoencoder_losses(self, run, batch):
        """0.05 Σ (x − Dec(z))² + λ BCE(D(z), 1), z = E(x + ε)."""
        codes = self.encode(run, batch)
        reconstruction = self.reconstruction(run, batch, codes)
        adversarial = self.cross_entropy(run, codes, 1.0)
        total = reconstruction + WEIGHT * adversarial
        return {"total": total, "reconstruction": reconstruction, "adversarial": adversarial}

    def discriminator_losses(self, run, batch):
        """λ (BCE(D(p), 1) + BCE(D(z), 0))."""
        codes = self.encode(run, batch).detach()
        prior = self.cross_entropy(run, batch["prior"], 1.0)
        codes = self.cross_entropy(run, codes, 0.0)
        return {"total": WEIGHT * (prior + codes), "prior": prior, "codes": codes}


if __name__ == "__main__":
    a3, a1 = dict(side=16, decay=0.9, epsilon=1e-5), dict(networks_name="a1")
    golden.main(
        WAEMMD("wae-mmd", seed=13, kink_margin=5e-7, pretraining=3, milestone=5, **a1),
        WAEMMD("wae-mmd-rbf", seed=1, kink_margin=5e-7, kernel="rbf", **a3),
        WAEGAN("wae-gan", seed=6, kink_margin=5e-7, **a3),
        WAEGAN("wae-gan-prior-density", seed=7, kink_margin=5e-7, prior_density=True, **a1),
    )
