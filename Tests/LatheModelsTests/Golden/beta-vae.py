"""Golden values of `beta-vae`: a variational auto-encoder with a weight on the divergence. Higgins et al., ICLR 2017."""

from dataclasses import dataclass

import golden
from golden import Phase, adam
from variational import VariationalModel, divergence_from_normal

BETA = 0.156


@dataclass
class BetaVAE(VariationalModel):
    model = "beta-vae"
    schedule = [("elbo", 0)]

    @property
    def configuration(self):
        return {**self.shared_configuration, "beta": BETA}

    @property
    def phases(self):
        return [Phase("elbo", ("encoder", "decoder"), adam(self.rate), self.losses, True)]

    def losses(self, run, batch):
        """−E[log p(x|z)] + β KL(q(z|x) ‖ N(0, I))."""
        mean, deviation = self.networks.posterior(run, batch["images"])
        codes = mean + deviation * batch["noise"]
        reconstruction = self.reconstruction_loss(run, batch["images"], codes)
        divergence = divergence_from_normal(mean, deviation)
        total = reconstruction + BETA * divergence
        return {"total": total, "reconstruction": reconstruction, "divergence": divergence}


if __name__ == "__main__":
    golden.main(BetaVAE("beta-vae", seed=1))
