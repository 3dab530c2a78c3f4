"""Golden values of `aae`: an adversarial auto-encoder with a WGAN-GP critic of the codes, MaskAAE without its mask.

Makhzani et al., "Adversarial Autoencoders", 2016; Mondal et al., "MaskAAE", UAI 2020.
"""

from dataclasses import dataclass

import torch

import golden
from golden import Model, Phase, mean_cross_entropy, perceptron_shapes, rms_prop
from networks import A5

CRITIC_STEPS, PENALTY_WEIGHT, LATENT = 5, 10.0, 4
WIDTHS = [16] * 4


@dataclass
class AAE(Model):
    model = "aae"
    schedule = [
        ("reconstruction", 0),
        *(("critic", 1 + repeat) for repeat in range(CRITIC_STEPS)),
        ("encoder", CRITIC_STEPS + 1),
    ]
    purposes = {"prior": "prior", "mix": "mix"}
    # The rates are ten times those of the paper's code.
    configuration = {
        "latentSize": LATENT, "networks": "a5", "filters": 0, "hiddenSize": 16, "criticHidden": WIDTHS,
        "criticSteps": CRITIC_STEPS, "penaltyWeight": PENALTY_WEIGHT, "reconstructionRate": 5e-3,
        "criticRate": 1e-3, "encoderRate": 1e-3,
    }

    def __post_init__(self):
        self.networks = A5(self.side, self.channels)

    @property
    def phases(self):
        return [
            Phase("reconstruction", ("encoder", "decoder"), rms_prop(5e-3), self.reconstruction_losses),
            Phase("critic", ("critic",), rms_prop(1e-3), self.critic_losses),
            Phase("encoder", ("encoder",), rms_prop(1e-3), self.encoder_losses),
        ]

    def shapes(self):
        return {
            **self.networks.encoder_shapes(LATENT),
            **self.networks.decoder_shapes(LATENT),
            **perceptron_shapes("critic", LATENT, WIDTHS, 1),
        }

    def draws(self):
        return {"prior": (torch.randn, [LATENT], 1), "mix": (torch.rand, [1], 1)}

    def reconstruction_losses(self, run, batch):
        """Cross-entropy of x and Dec(E(x)), the mean over pixels."""
        decoded = self.networks.decode(run, self.networks.encode(run, batch["images"]))
        return {"total": mean_cross_entropy(batch["images"], decoded)}

    def critic_losses(self, run, batch):
        """mean C(E(x)) − mean C(p) + λ mean (‖∇C(ẑ)‖ − 1)², ẑ = E(x) + t (p − E(x))."""
        codes = self.networks.encode(run, batch["images"]).detach()
        return golden.critic_losses(
            lambda z: run.perceptron("critic", z), batch["prior"], codes, batch["mix"], PENALTY_WEIGHT
        )

    def encoder_losses(self, run, batch):
        """−mean C(E(x))."""
        codes = self.networks.encode(run, batch["images"])
        return {"total": -run.perceptron("critic", codes).mean()}


if __name__ == "__main__":
    model = AAE("aae", seed=1, kink_margin=1e-6)
    golden.main(model)
    golden.check_gradient(model, "critic")
