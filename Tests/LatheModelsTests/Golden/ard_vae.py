"""Golden values of `ard-vae`: Saha, Joshi and Whitaker, "ARD-VAE", WACV 2025.

    python3 ard_vae.py SOURCE      # SOURCE: a checkout of Surojit-Utah/ARD-VAE

Divergence and reconstruction are those that the released program computes, not ours: its functions are called, with
PyTorch in the place of TensorFlow. It has sigma^2 where log sigma^2 belongs, a constant, which is put right here. The
variances are lathe's running means.
"""

import math
import sys
import types
from dataclasses import dataclass

import torch

import golden
from golden import Phase, adam
from two_stage_vae import Inference
from variational import VariationalModel

SOURCE = sys.argv[1] if len(sys.argv) > 1 else ""
BETA, MOMENTUM = 0.3, 0.75


def released_losses():
    """The module loss/vae_loss.py."""
    tensorflow = types.ModuleType("tensorflow")
    tensorflow.function = lambda f: f
    tensorflow.divide, tensorflow.square, tensorflow.exp = torch.divide, torch.square, torch.exp
    tensorflow.expand_dims, tensorflow.reshape = torch.unsqueeze, torch.reshape
    tensorflow.shape = lambda x: x.shape
    tensorflow.reduce_mean = torch.mean
    tensorflow.reduce_sum = lambda x, axis: x.sum(axis)
    tensorflow.math = types.SimpleNamespace(divide=torch.divide)
    backend = types.SimpleNamespace(set_floatx=lambda name: None)
    tensorflow.keras = types.SimpleNamespace(backend=backend)
    module = types.ModuleType("vae_loss")
    with open(f"{SOURCE}/loss/vae_loss.py") as file:
        text = file.read().replace("import tensorflow as tf", "")
    module.tf = tensorflow
    exec(compile(text, "vae_loss.py", "exec"), module.__dict__)
    return module


@dataclass
class ARDVAE(VariationalModel):
    model = "ard-vae"
    schedule = [("elbo", 0)]
    purposes = {"noise": "posterior", "held": "held posterior"}

    def __post_init__(self):
        super().__post_init__()
        self.released = released_losses()

    def draw_count(self):
        return 2

    @property
    def configuration(self):
        return {**self.shared_configuration, "beta": BETA, "priorMomentum": MOMENTUM}

    @property
    def phases(self):
        return [Phase("elbo", ("encoder", "decoder"), adam(self.rate), self.losses, True)]

    def shapes(self):
        names = ("code_square", "code_mean")
        statistics = {f"encoder.prior.{name}": [self.latent] for name in names}
        return self.network_shapes() | statistics | {"encoder.prior.code_share": [1]}

    def draws(self):
        return super().draws() | {"held": (torch.randn, [self.latent], 0)}

    def variances(self, run):
        """Running means of z^2 without the share of their first values; 1 before the first codes."""
        share = run.values["encoder.prior.code_share"]
        square = run.values["encoder.prior.code_square"]
        return square / (1 - share) + 1e-8 if share < 1 else torch.ones_like(square)

    def note(self, run, batch):
        held = Inference(run.values, run.decay, run.epsilon)
        with torch.no_grad():
            mean, deviation = self.networks.posterior(held, batch["others"])
            codes = mean + deviation * batch["held"]
        run.margin = min(run.margin, held.margin)
        found = {"code_square": (codes**2).mean(0), "code_mean": codes.mean(0), "code_share": 0}
        for name, value in found.items():
            name = f"encoder.prior.{name}"
            run.buffers[name] = MOMENTUM * run.values[name] + (1 - MOMENTUM) * value

    def losses(self, run, batch):
        """Sum (x - Dec(z))^2 + 2 beta KL(q(z|x) || N(0, variances)), halved, with the constant of a normal density."""
        images, variances = batch["images"], self.variances(run)
        mean, deviation = self.networks.posterior(run, images)
        decoded = self.networks.decode(run, mean + deviation * batch["noise"])
        constant = images[0].numel() * 0.5 * math.log(2 * math.pi)
        reconstruction = 0.5 * self.released.autoencoder_loss(images, decoded) + constant
        divergence = self.released.kld_loss(mean, 2 * deviation.log(), torch.ones(()), variances)
        divergence = divergence + 0.5 * (variances.log() - variances).sum()
        self.note(run, batch)
        total = reconstruction + BETA * divergence
        return {"total": total, "reconstruction": reconstruction, "divergence": divergence}


if __name__ == "__main__":
    golden.main(ARDVAE("ard-vae", seed=1))
