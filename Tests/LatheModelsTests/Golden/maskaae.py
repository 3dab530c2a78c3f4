"""Golden values of `maskaae`: an adversarial auto-encoder that learns a mask over its latent dimensions.

Mondal et al., "MaskAAE: Latent Space Optimization for Adversarial Auto-Encoders", UAI 2020.
"""

from dataclasses import dataclass

import torch

import golden
from golden import Model, Phase, mean_cross_entropy, perceptron_shapes, rms_prop
from networks import A5

CRITIC_STEPS, PENALTY_WEIGHT, LATENT = 5, 10.0, 4
VARIANCE_WEIGHT, MASK_RECONSTRUCTION_WEIGHT = 100.0, 1000.0
T = 1  # so that c doubles at steps 4 and 8, and the losses fall at 5
WIDTHS = [16] * 4


class NonNegative:
    """An optimizer after whose updates negative values are set to 0."""

    def __init__(self, optimizer):
        self.optimizer = optimizer

    def update(self, values, gradients):
        moved = self.optimizer.update(values, gradients)
        return {name: value.clamp(min=0) for name, value in moved.items()}


@dataclass
class MaskAAE(Model):
    mask_rate: float = 5e-3

    model = "maskaae"
    schedule = [
        ("reconstruction", 0),
        *(("critic", 1 + repeat) for repeat in range(CRITIC_STEPS)),
        ("encoder", CRITIC_STEPS + 1),
        ("mask", CRITIC_STEPS + 2),
    ]
    purposes = {"prior": "prior", "mix": "mix"}

    def __post_init__(self):
        self.networks = A5(self.side, self.channels)

    @property
    def configuration(self):
        """The rates of the networks are ten times those of the paper's code."""
        return {
            "latentSize": LATENT, "networks": "a5", "filters": 0, "hiddenSize": 16, "criticHidden": WIDTHS,
            "criticSteps": CRITIC_STEPS, "penaltyWeight": PENALTY_WEIGHT,
            "varianceWeight": VARIANCE_WEIGHT, "maskReconstructionWeight": MASK_RECONSTRUCTION_WEIGHT,
            "scheduleSteps": T, "reconstructionRate": 5e-3, "criticRate": 1e-3, "encoderRate": 1e-3,
            "maskRate": self.mask_rate,
        }

    @property
    def phases(self):
        masking = rms_prop(self.mask_rate)
        return [
            Phase("reconstruction", ("encoder", "decoder"), rms_prop(5e-3), self.reconstruction_losses),
            Phase("critic", ("critic",), rms_prop(1e-3), self.critic_losses),
            Phase("encoder", ("encoder",), rms_prop(1e-3), self.encoder_losses),
            Phase("mask", ("mask",), lambda epsilon: NonNegative(masking(epsilon)), self.mask_losses),
        ]

    def shapes(self):
        return {
            **self.networks.encoder_shapes(LATENT),
            **self.networks.decoder_shapes(LATENT),
            **perceptron_shapes("critic", LATENT, WIDTHS, 1),
            "mask.openness": [LATENT],
        }

    def draws(self):
        return {"prior": (torch.randn, [LATENT], 1), "mix": (torch.rand, [1], 1)}

    def batch(self, data, step, draw):
        return super().batch(data, step, draw) | {"step": step}

    def mask(self, run):
        """α = 1 − exp(−w)."""
        return 1 - (-run.values["mask.openness"]).exp()

    def share(self, step):
        """Auto-encoder and mask losses are divided by 5 after 5 T steps."""
        return 1.0 if step < 5 * T else 0.2

    def reconstruction_losses(self, run, batch):
        """R + 100 V, V = mean (z − mean z)² exp(−10 α²)."""
        codes, mask = self.networks.encode(run, batch["images"]), self.mask(run)
        reconstruction = mean_cross_entropy(batch["images"], self.networks.decode(run, mask * codes))
        variance = ((codes - codes.mean(0)) ** 2 * (-10 * mask**2).exp()).mean()
        total = self.share(batch["step"]) * (reconstruction + VARIANCE_WEIGHT * variance)
        return {"total": total, "reconstruction": reconstruction, "closedVariance": variance}

    def critic_losses(self, run, batch):
        """mean C(α z) − mean C(α p) + λ mean (‖∇C(ẑ)‖ − 1)², ẑ = α z + t (α p − α z)."""
        mask = self.mask(run)
        codes = mask * self.networks.encode(run, batch["images"]).detach()
        return golden.critic_losses(
            lambda z: run.perceptron("critic", z), mask * batch["prior"], codes, batch["mix"],
            PENALTY_WEIGHT,
        )

    def encoder_losses(self, run, batch):
        """−mean C(α z)."""
        codes = self.mask(run) * self.networks.encode(run, batch["images"])
        return {"total": -run.perceptron("critic", codes).mean()}

    def mask_losses(self, run, batch):
        """1000 R + (1 − (mean C(α z) − mean C(α p)))² + c Σ |α (1 − α)|, c = 2/m · 2^⌊step / 4T⌋ ≤ 2048."""
        mask = self.mask(run)
        codes = mask * self.networks.encode(run, batch["images"])
        reconstruction = mean_cross_entropy(batch["images"], self.networks.decode(run, codes))
        scores = run.perceptron("critic", codes), run.perceptron("critic", mask * batch["prior"])
        distance = scores[0].mean() - scores[1].mean()
        indecision = (mask * (1 - mask)).abs().sum()
        c = min(2048.0, 2 / LATENT * 2 ** (batch["step"] // (4 * T)))
        total = MASK_RECONSTRUCTION_WEIGHT * reconstruction + (1 - distance) ** 2 + c * indecision
        return {
            "total": self.share(batch["step"]) * total,
            "reconstruction": reconstruction,
            "distance": distance,
            "indecision": indecision,
            "activeDimensions": (mask >= 0.1).sum().to(mask.dtype),
        }


if __name__ == "__main__":
    # Fast enough for entries of the mask to close.
    model = MaskAAE("maskaae", seed=1, kink_margin=5e-7, mask_rate=0.2)
    golden.main(model)
    golden.check_gradient(model, "critic")
    golden.check_gradient(model, "mask")
