"""Golden values of `fsq`: Mentzer et al., "Finite Scalar Quantization: VQ-VAE Made Simple", ICLR 2024.

    python3 fsq.py SOURCE      # SOURCE: a folder with fsq.py, the code cells of google-research/fsq/fsq.ipynb

The rounding and its gradients are those that the program computes, not ours: its class is called. The prior is MADE:
Germain et al., ICML 2015.
"""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import jax
import torch

import golden
from golden import Model, Phase, adam, weights
from networks import A1

jax.config.update("jax_enable_x64", True)
path = Path(sys.argv[1] if len(sys.argv) > 1 else "", "fsq.py")
spec = importlib.util.spec_from_file_location("released", path)
released = importlib.util.module_from_spec(spec)
spec.loader.exec_module(released)

LATENT, WIDTHS = 4, [10, 10]


class Rounding(torch.autograd.Function):
    """The released program's `quantize`, and its gradient."""

    @staticmethod
    def forward(context, x, levels):
        quantize = released.FSQ([levels] * LATENT).quantize
        codes, context.pullback = jax.vjp(lambda x: quantize(x).astype(x.dtype), x.detach().numpy())
        return torch.tensor(jax.device_get(codes))

    @staticmethod
    def backward(context, gradient):
        (found,) = context.pullback(gradient.numpy())
        return torch.tensor(jax.device_get(found)), None


@dataclass
class FSQ(Model):
    levels: int = 8

    model = "fsq"
    schedule = [("autoencoder and prior", 0)]
    purposes = {}

    def __post_init__(self):
        self.networks = A1(self.side, self.channels)

    @property
    def configuration(self):
        return {
            "latentSize": LATENT, "networks": "a1", "filters": self.networks.filters, "hiddenSize": 16,
            "levels": self.levels, "priorHidden": WIDTHS, "learningRate": 1e-3,
        }

    @property
    def phases(self):
        groups = ("encoder", "decoder", "prior")
        return [Phase("autoencoder and prior", groups, adam(1e-3), self.losses, True)]

    def shapes(self):
        return {
            **self.networks.encoder_shapes(LATENT),
            **self.networks.decoder_shapes(LATENT),
            **weights("prior.layer0", LATENT, WIDTHS[0]),
            **weights("prior.layer1", *WIDTHS),
            **weights("prior.output", WIDTHS[-1], self.levels * LATENT),
        }

    def draws(self):
        return {}

    def logits(self, run, codes):
        """[N, levels, m]: unit j of degree j mod (m - 1) sees what has at most its degree, an output what has less."""
        coordinates = torch.arange(LATENT)
        degrees = [coordinates, *(torch.arange(width) % (LATENT - 1) for width in WIDTHS)]
        degrees.append(coordinates.repeat(self.levels))
        h = codes
        for place, layer in enumerate(("layer0", "layer1", "output")):
            inputs, outputs = degrees[place][:, None], degrees[place + 1][None]
            seen = inputs < outputs if layer == "output" else inputs <= outputs
            h = h if place == 0 else run.relu(h)
            weight, bias = run.values[f"prior.{layer}.weight"], run.values[f"prior.{layer}.bias"]
            h = h @ (weight * seen.to(h.dtype)) + bias
        return h.reshape(len(codes), self.levels, LATENT)

    def losses(self, run, batch):
        codes = Rounding.apply(self.networks.encode(run, batch["images"]), self.levels)
        error = torch.nn.MSELoss()(self.networks.decode(run, codes), batch["images"])
        half = self.levels // 2
        places = (codes.detach() * half + half).round().long()
        likelihood = torch.nn.functional.cross_entropy(
            self.logits(run, codes.detach()), places, reduction="sum") / len(codes)
        return {"total": error + likelihood, "reconstruction": error, "negative log-likelihood": likelihood}


if __name__ == "__main__":
    golden.main(FSQ("fsq", seed=1), FSQ("fsq-five-levels", seed=5, levels=5))
