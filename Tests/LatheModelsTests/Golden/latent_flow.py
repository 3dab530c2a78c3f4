"""Golden values of `glf`: Xiao, Yan and Amit, "Generative Latent Flow", 2019.

    python3 latent_flow.py SOURCE      # SOURCE: a checkout of rakhimovv/GenerativeLatentFlow

Flow and likelihood are those that the program computes, not ours: its modules are called. Its random permutations are
lathe's: places of even number first.
"""

import sys
from dataclasses import dataclass

import torch
from torch.func import functional_call

import golden
from golden import Model, Phase, adam, perceptron_shapes
from networks import A1

sys.path.insert(0, sys.argv[1] if len(sys.argv) > 1 else "")
from glf.models.archs.GLF_arch import FlowNet  # noqa: E402
from glf.models.loss import NLLLoss  # noqa: E402

LATENT, HIDDEN, STEPS, DECAY = 4, 8, 3, 0.01


def theirs(name):
    """Their name of a parameter of the flow: step1.layer0.weight -> affine_layers.1.net.0.weight."""
    step, *rest = name.removeprefix("flow.step").split(".")
    place = {"layer0": "0.", "layer1": "2.", "output": "4.", "scale": "5."}[rest[0]]
    return f"affine_layers.{step}.net.{place}{rest[-1]}"


@dataclass
class GLF(Model):
    model = "glf"
    schedule = [("autoencoder and flow", 0)]
    purposes = {}

    def __post_init__(self):
        self.networks = A1(self.side, self.channels)
        self.flow = FlowNet(LATENT, HIDDEN, STEPS)
        for permutation in self.flow.perms:
            permutation.perm.data = torch.tensor([*range(0, LATENT, 2), *range(1, LATENT, 2)])

    @property
    def configuration(self):
        return {
            "latentSize": LATENT, "networks": "a1", "filters": self.networks.filters, "hiddenSize": 16,
            "flowSteps": STEPS, "flowHidden": [HIDDEN, HIDDEN], "flowDecay": DECAY, "learningRate": 1e-3,
            "halvingSteps": 0,
        }

    @property
    def phases(self):
        groups = ("encoder", "decoder", "flow")
        return [Phase("autoencoder and flow", groups, adam(1e-3, (0.9, 0.99)), self.losses, True)]

    def shapes(self):
        shapes = self.networks.encoder_shapes(LATENT) | self.networks.decoder_shapes(LATENT)
        for step in range(STEPS):
            name = f"flow.step{step}"
            shapes |= perceptron_shapes(name, LATENT // 2, [HIDDEN, HIDDEN], LATENT)
            shapes[f"{name}.scale"] = [LATENT]
        return shapes

    def draws(self):
        return {}

    def losses(self, run, batch):
        codes = self.networks.encode(run, batch["images"])
        error = torch.nn.MSELoss()(self.networks.decode(run, codes), batch["images"])
        own = {name: value for name, value in run.values.items() if name.startswith("flow.")}
        values = {theirs(name): value.T if name.endswith("weight") else value for name, value in own.items()}
        for number, _ in enumerate(self.flow.perms):
            values[f"perms.{number}.perm"] = self.flow.perms[number].perm
        noise, determinants = functional_call(self.flow, values, codes.detach())
        likelihood = NLLLoss()(noise, determinants)
        # What the weight decay of PyTorch's Adam adds to gradients.
        decay = 0.5 * DECAY * sum((value**2).sum() for value in own.values())
        total = error + likelihood + decay
        return {"total": total, "reconstruction": error, "negative log-likelihood": likelihood}


if __name__ == "__main__":
    golden.main(GLF("glf", seed=1))
