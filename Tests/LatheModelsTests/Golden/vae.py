"""Golden values of `vae`: Kingma & Welling, 2014, with the networks and likelihoods of Dai & Wipf, 2019."""

from dataclasses import dataclass

import golden
from golden import Phase, adam
from networks import A4
from variational import VariationalModel, divergence_from_normal


@dataclass
class VAE(VariationalModel):
    decay: float = 0.999
    epsilon: float = 1e-5

    model = "vae"
    networks_name = "a4"
    schedule = [("elbo", 0)]

    def __post_init__(self):
        self.networks = A4(self.side, self.channels)

    @property
    def configuration(self):
        return {**self.shared_configuration, "halvingSteps": 0}

    @property
    def phases(self):
        return [Phase("elbo", ("encoder", "decoder"), adam(self.rate), self.losses, True)]

    def losses(self, run, batch):
        """−E[log p(x|z)] + KL(q(z|x) ‖ N(0, I)), z = mean + deviation · noise."""
        mean, deviation = self.networks.posterior(run, batch["images"])
        codes = mean + deviation * batch["noise"]
        reconstruction = self.reconstruction_loss(run, batch["images"], codes)
        divergence = divergence_from_normal(mean, deviation)
        return {
            "total": reconstruction + divergence,
            "reconstruction": reconstruction,
            "divergence": divergence,
        }


if __name__ == "__main__":
    golden.main(
        VAE("vae-cross-entropy", seed=29, likelihood="cross-entropy"),
        VAE("vae-fixed-variance", seed=4),
        VAE("vae-learned-variance", seed=23, side=12, channels=3, likelihood="learned-variance"),
    )
