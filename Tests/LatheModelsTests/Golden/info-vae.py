"""Golden values of `info-vae`: codes held to the prior by KL and MMD. Zhao, Song and Ermon, AAAI 2019."""

from dataclasses import dataclass

import torch

import golden
from golden import Phase, adam
from variational import VariationalModel, divergence_from_normal

ALPHA, LAMBDA = 0.25, 50.0
SCALES = [0.1, 0.2, 0.5, 1, 2, 5, 10]


def discrepancy(x, y, kernel):
    """Unbiased MMD², pairs of a sample with itself left out. Gretton et al., JMLR 2012, Lemma 6."""
    n, unit = len(x), 2 * x.shape[1]

    def similarities(a, b):
        d = ((a[:, None] - b[None]) ** 2).sum(-1)
        if kernel == "rbf":
            return (-d / unit).exp()
        return sum(unit * scale / (unit * scale + d) for scale in SCALES)

    others = 1 - torch.eye(n, dtype=x.dtype)
    within = ((similarities(x, x) + similarities(y, y)) * others).sum() / (n * (n - 1))
    return within - 2 * similarities(x, y).mean()


@dataclass
class InfoVAE(VariationalModel):
    kernel: str = "imq"

    model = "info-vae"
    schedule = [("elbo", 0)]
    purposes = {"noise": "posterior", "prior": "prior"}

    @property
    def configuration(self):
        own = {"alpha": ALPHA, "lambda": LAMBDA, "kernel": self.kernel}
        return {**self.shared_configuration, **own}

    @property
    def phases(self):
        return [Phase("elbo", ("encoder", "decoder"), adam(self.rate), self.losses, True)]

    def draws(self):
        normal = (torch.randn, [self.latent], 0)
        return {"noise": normal, "prior": normal}

    def losses(self, run, batch):
        """−E[log p(x|z)] + (1 − α) KL(q(z|x) ‖ p(z)) + (α + λ − 1) MMD(q(z), p(z))."""
        mean, deviation = self.networks.posterior(run, batch["images"])
        codes = mean + deviation * batch["noise"]
        reconstruction = self.reconstruction_loss(run, batch["images"], codes)
        divergence = divergence_from_normal(mean, deviation)
        apart = discrepancy(codes, batch["prior"], self.kernel)
        total = reconstruction + (1 - ALPHA) * divergence + (ALPHA + LAMBDA - 1) * apart
        return {
            "total": total, "reconstruction": reconstruction, "divergence": divergence,
            "discrepancy": apart,
        }


if __name__ == "__main__":
    golden.main(
        InfoVAE("info-vae-imq", seed=30), InfoVAE("info-vae-rbf", seed=3, kernel="rbf")
    )
