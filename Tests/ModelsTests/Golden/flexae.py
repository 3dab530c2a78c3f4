"""Golden values of `flexae`: an auto-encoder whose prior is a generator that a WGAN-GP critic compares with the codes.

Mondal et al., "FlexAE: Flexibly Learning Latent Priors for Wasserstein Auto-Encoders", UAI 2021.
"""

from dataclasses import dataclass

import torch

import golden
from golden import Model, Phase, adam, mean_of_sums, perceptron_shapes
from networks import A1

CRITIC_STEPS, PENALTY_WEIGHT, LATENT = 5, 10.0, 4
WIDTHS = [16] * 4


@dataclass
class FlexAE(Model):
    model = "flexae"
    # The generator and the encoder run on the critic's last draw.
    schedule = [
        ("reconstruction", 0),
        *(("critic", 1 + repeat) for repeat in range(CRITIC_STEPS)),
        ("generator", CRITIC_STEPS),
        ("encoder", CRITIC_STEPS),
    ]
    purposes = {"noise": "noise", "mix": "mix"}
    # The rates are ten times those of the paper's code.
    configuration = {
        "latentSize": LATENT, "noiseSize": LATENT, "networks": "a1", "filters": 4, "hiddenSize": 16,
        "generatorHidden": WIDTHS, "criticHidden": WIDTHS, "criticSteps": CRITIC_STEPS,
        "penaltyWeight": PENALTY_WEIGHT, "reconstructionRate": 2e-3, "criticRate": 1e-3,
        "generatorRate": 2e-3, "encoderRate": 1e-4,
    }

    def __post_init__(self):
        self.networks = A1(self.side, self.channels)

    @property
    def phases(self):
        autoencoder, slow = ("encoder", "decoder"), (0.0, 0.9)
        return [
            Phase("reconstruction", autoencoder, adam(2e-3), self.reconstruction_losses, True),
            Phase("critic", ("critic",), adam(1e-3, slow), self.critic_losses),
            Phase("generator", ("generator",), adam(2e-3, slow), self.generator_losses),
            Phase("encoder", ("encoder",), adam(1e-4, slow), self.encoder_losses),
        ]

    def shapes(self):
        return {
            **self.networks.encoder_shapes(LATENT),
            **self.networks.decoder_shapes(LATENT),
            **perceptron_shapes("generator", LATENT, WIDTHS, LATENT),
            **perceptron_shapes("critic", LATENT, WIDTHS, 1),
        }

    def draws(self):
        return {"noise": (torch.randn, [LATENT], 1), "mix": (torch.rand, [1], 1)}

    def reconstruction_losses(self, run, batch):
        """Σ (x − Dec(E(x)))² per image."""
        x = batch["images"]
        decoded = self.networks.decode(run, self.networks.encode(run, x))
        return {"total": mean_of_sums((x - decoded) ** 2)}

    def critic_losses(self, run, batch):
        """mean C(G(n)) − mean C(E(x)) + λ mean (‖∇C(ẑ)‖ − 1)², ẑ = G(n) + t (E(x) − G(n))."""
        codes = self.networks.encode(run, batch["images"]).detach()
        prior = run.perceptron("generator", batch["noise"]).detach()
        between = prior + batch["mix"] * (codes - prior)
        penalty = golden.gradient_penalty(lambda z: run.perceptron("critic", z), between)
        distance = run.perceptron("critic", codes).mean() - run.perceptron("critic", prior).mean()
        total = PENALTY_WEIGHT * penalty - distance
        return {"total": total, "distance": distance, "penalty": penalty}

    def generator_losses(self, run, batch):
        """−mean C(G(n))."""
        return {"total": -run.perceptron("critic", run.perceptron("generator", batch["noise"])).mean()}

    def encoder_losses(self, run, batch):
        """mean C(E(x))."""
        codes = self.networks.encode(run, batch["images"])
        return {"total": run.perceptron("critic", codes).mean()}


if __name__ == "__main__":
    model = FlexAE("flexae", seed=37)
    golden.main(model)
    golden.check_gradient(model, "critic")
