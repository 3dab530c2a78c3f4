"""Golden values of `flexae`: an auto-encoder whose prior is a generator that a WGAN-GP critic compares with the codes.

Plain, and with the smoothing of interpolations (SR) by a second critic, of images.

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
    smoothing: bool = False

    model = "flexae"

    @property
    def schedule(self):
        """What follows the critics runs on their last draw, or the last two where smoothing needs pairs."""
        if not self.smoothing:
            critics = [("critic", 1 + repeat) for repeat in range(CRITIC_STEPS)]
        else:
            critics = [
                (name, 1 + 2 * repeat)
                for repeat in range(CRITIC_STEPS)
                for name in ("critic", "image-critic")
            ]
        last = critics[-1][1]
        smooth = [("smoothing", last)] if self.smoothing else []
        return [("reconstruction", 0), *critics, *smooth, ("generator", last), ("encoder", last)]

    def draw_count(self):
        return 1 + (2 if self.smoothing else 1) * CRITIC_STEPS

    @property
    def purposes(self):
        pairs = {"image_mix": "image-mix", "interpolation": "interpolation"}
        return {"noise": "noise", "mix": "mix"} | (pairs if self.smoothing else {})

    @property
    def configuration(self):
        """The rates are ten times those of the paper's code."""
        return {
            "latentSize": LATENT, "noiseSize": LATENT, "networks": "a1", "filters": 4, "hiddenSize": 16,
            "generatorHidden": WIDTHS, "criticHidden": WIDTHS, "criticSteps": CRITIC_STEPS,
            "penaltyWeight": PENALTY_WEIGHT, "reconstructionRate": 2e-3, "criticRate": 1e-3,
            "generatorRate": 2e-3, "encoderRate": 1e-4, "smoothing": self.smoothing,
            "imageCriticRate": 2e-3, "smoothingRate": 2e-3,
        }

    def __post_init__(self):
        self.networks = A1(self.side, self.channels)

    @property
    def phases(self):
        autoencoder, slow, quick = ("encoder", "decoder"), (0.0, 0.9), (0.5, 0.9)
        smoothing = [
            Phase("image-critic", ("image_critic",), adam(2e-3, quick), self.image_critic_losses),
            Phase("smoothing", autoencoder, adam(2e-3, quick), self.smoothing_losses),
        ]
        return [
            Phase("reconstruction", autoencoder, adam(2e-3), self.reconstruction_losses, True),
            Phase("critic", ("critic",), adam(1e-3, slow), self.critic_losses),
            Phase("generator", ("generator",), adam(2e-3, slow), self.generator_losses),
            Phase("encoder", ("encoder",), adam(1e-4, slow), self.encoder_losses),
        ] + (smoothing if self.smoothing else [])

    def shapes(self):
        return {
            **self.networks.encoder_shapes(LATENT),
            **self.networks.decoder_shapes(LATENT),
            **perceptron_shapes("generator", LATENT, WIDTHS, LATENT),
            **perceptron_shapes("critic", LATENT, WIDTHS, 1),
            **(self.networks.image_critic_shapes() if self.smoothing else {}),
        }

    def draws(self):
        pairs = {"image_mix": (torch.rand, [1, 1, 1], 1), "interpolation": (torch.rand, [1], 1)}
        noise = {"noise": (torch.randn, [LATENT], 1), "mix": (torch.rand, [1], 1)}
        return noise | (pairs if self.smoothing else {})

    def reconstruction_losses(self, run, batch):
        """Σ (x − Dec(E(x)))² per image."""
        x = batch["images"]
        decoded = self.networks.decode(run, self.networks.encode(run, x))
        return {"total": mean_of_sums((x - decoded) ** 2)}

    def critic_losses(self, run, batch):
        """mean C(G(n)) − mean C(E(x)) + λ mean (‖∇C(ẑ)‖ − 1)², ẑ = G(n) + t (E(x) − G(n))."""
        codes = self.networks.encode(run, batch["images"]).detach()
        prior = run.perceptron("generator", batch["noise"]).detach()
        return golden.critic_losses(
            lambda z: run.perceptron("critic", z), codes, prior, batch["mix"], PENALTY_WEIGHT
        )

    def generator_losses(self, run, batch):
        """−mean C(G(n))."""
        return {"total": -run.perceptron("critic", run.perceptron("generator", batch["noise"])).mean()}

    def encoder_losses(self, run, batch):
        """mean C(E(x))."""
        codes = self.networks.encode(run, batch["images"])
        return {"total": run.perceptron("critic", codes).mean()}

    def interpolation(self, run, batch):
        """Dec(a E(x) + (1 − a) E(x′))."""
        codes = self.networks.encode(run, batch["images"])
        others = self.networks.encode(run, batch["others"])
        share = batch["interpolation"]
        return self.networks.decode(run, share * codes + (1 - share) * others)

    def image_critic_losses(self, run, batch):
        """mean K(Dec(z̄)) − mean K(x) + λ mean (‖∇K(x̂)‖ − 1)², x̂ = Dec(z̄) + t (x − Dec(z̄))."""
        decoded = self.interpolation(run, batch).detach()
        return golden.critic_losses(
            lambda x: self.networks.judge(run, x), batch["images"], decoded, batch["image_mix"],
            PENALTY_WEIGHT,
        )

    def smoothing_losses(self, run, batch):
        """−mean K(Dec(z̄))."""
        return {"total": -self.networks.judge(run, self.interpolation(run, batch)).mean()}


if __name__ == "__main__":
    plain, smooth = FlexAE("flexae", seed=37), FlexAE("flexae-smoothing", seed=4, smoothing=True, kink_margin=5e-7)
    golden.main(plain, smooth)
    golden.check_gradient(plain, "critic")
    golden.check_gradient(smooth, "image-critic")
    golden.check_gradient(smooth, "smoothing")
