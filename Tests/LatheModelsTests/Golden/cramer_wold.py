"""Golden values of `cwae` and `swae`: Knop et al., "Cramer-Wold Auto-Encoder", JMLR 21, 2020; Kolouri et al., "Sliced
Wasserstein Auto-Encoders", ICLR 2019.

    python3 cramer_wold.py SOURCE      # SOURCE: folder `src` of a checkout of gmum/cwae-pytorch

The distances and the costs are those that the released program computes, not ours: its functions are called.
"""

import sys
from dataclasses import dataclass
from unittest import mock

import torch

import golden
from golden import Model, Phase, adam
from networks import A1

sys.path.insert(0, sys.argv[1] if len(sys.argv) > 1 else "")
from factories.cost_function_factory import get_cost_function  # noqa: E402
from metrics import swd  # noqa: E402

LATENT = 8


@dataclass
class CramerWold(Model):
    weight: float = 1.0

    schedule = [("reconstruction", 0)]

    def __post_init__(self):
        self.networks = A1(self.side, self.channels)

    @property
    def common(self):
        return {
            "latentSize": LATENT, "networks": "a1", "filters": self.networks.filters, "hiddenSize": 16,
            "distanceWeight": self.weight, "learningRate": 1e-3, "halvingSteps": 0,
        }

    @property
    def phases(self):
        return [Phase("reconstruction", ("encoder", "decoder"), adam(1e-3), self.losses, True)]

    def shapes(self):
        return self.networks.encoder_shapes(LATENT) | self.networks.decoder_shapes(LATENT)

    def losses(self, run, batch):
        images = batch["images"]
        codes = self.networks.encode(run, images)
        decoded = self.networks.decode(run, codes)
        total = self.cost(images, codes, decoded, batch)
        reconstruction = get_cost_function("ae", 0, LATENT, None)(images, codes, decoded)
        return {
            "total": total, "reconstruction": reconstruction,
            "distance": self.distance(total, reconstruction),
        }


@dataclass
class CWAE(CramerWold):
    logarithmic: bool = True

    model = "cwae"
    purposes = {}

    @property
    def configuration(self):
        return self.common | {"logarithmic": self.logarithmic}

    def draws(self):
        return {}

    def cost(self, images, codes, decoded, batch):
        name = "cwae" if self.logarithmic else "cwae_plus"
        return get_cost_function(name, self.weight, LATENT, None)(images, codes, decoded)

    def distance(self, total, reconstruction):
        regularizer = (total - reconstruction) / self.weight
        return regularizer.exp() - 1e-7 if self.logarithmic else regularizer


@dataclass
class SWAE(CramerWold):
    """The released code draws prior and directions itself: here they are those of the file."""

    model = "swae"
    purposes = {"prior": "prior", "directions": "directions"}

    @property
    def configuration(self):
        return self.common | {"directions": golden.BATCH}

    def draws(self):
        return {"prior": (torch.randn, [LATENT], 0), "directions": (torch.randn, [LATENT], 0)}

    def cost(self, images, codes, decoded, batch):
        class Prior:
            def create(self, count):
                return batch["prior"]

        unit = torch.stack([w / torch.sqrt((w**2).sum()) for w in batch["directions"]])
        with mock.patch.object(swd, "__generate_theta", lambda size, count: unit):
            cost = get_cost_function("swae", self.weight, LATENT, Prior())
            return cost(images, codes, decoded)

    def distance(self, total, reconstruction):
        return (total - reconstruction) / self.weight


if __name__ == "__main__":
    golden.main(
        CWAE("cwae", seed=1, weight=3.0),
        CWAE("cwae-plus", seed=2, weight=30.0, logarithmic=False),
        SWAE("swae", seed=3, weight=5.0),
    )
