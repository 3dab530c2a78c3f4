"""Golden values of `vae-flow`: an inverse autoregressive flow posterior. Kingma et al., NeurIPS 2016; MADE: Germain et al., 2015."""

from dataclasses import dataclass

import torch

import golden
from golden import Phase, adam, weights
from variational import VariationalModel, log_normal

WIDTHS = [10, 10]


def mask(inputs, outputs, strict):
    """1 where an output of the second degree may see an input of the first."""
    i, o = torch.tensor(inputs)[:, None], torch.tensor(outputs)[None]
    return (i < o if strict else i <= o).double()


@dataclass
class FlowVAE(VariationalModel):
    context: int = 3
    steps: int = 2

    model = "vae-flow"
    schedule = [("elbo", 0)]

    @property
    def configuration(self):
        own = {"flowSteps": self.steps, "flowHidden": WIDTHS, "contextSize": self.context}
        return {**self.shared_configuration, **own}

    @property
    def phases(self):
        groups = ("encoder", "decoder", "flow")
        return [Phase("elbo", groups, adam(self.rate), self.losses, True)]

    def shapes(self):
        shapes = self.network_shapes(2 * self.latent + self.context)
        for step in range(self.steps):
            name = f"flow.step{step}"
            shapes |= weights(f"{name}.layer0", self.latent, WIDTHS[0])
            shapes |= weights(f"{name}.layer1", *WIDTHS)
            shapes |= weights(f"{name}.output", WIDTHS[-1], 2 * self.latent)
            shapes |= {f"{name}.context": [self.context, WIDTHS[0]]} if self.context else {}
        return shapes

    def made(self, run, name, y, context):
        """Shift and stretch of each coordinate, by the coordinates before it."""
        coordinates = list(range(self.latent))
        degrees = [coordinates, *([j % (self.latent - 1) for j in range(w)] for w in WIDTHS)]
        masks = [mask(degrees[0], degrees[1], False), mask(degrees[1], degrees[2], False)]
        masks.append(mask(degrees[2], 2 * coordinates, True))
        h = y
        for layer, kept in zip(("layer0", "layer1", "output"), masks):
            h = h if layer == "layer0" else run.relu(h)
            weight, bias = run.values[f"{name}.{layer}.weight"], run.values[f"{name}.{layer}.bias"]
            h = h @ (weight * kept.to(h.dtype)) + bias
            if layer == "layer0" and self.context:
                h = h + context @ run.values[f"{name}.context"]
        return h.chunk(2, dim=1)

    def posterior(self, run, x):
        """Mean, deviation and context of an image."""
        all = self.networks.encode(run, x)
        mean, raw, context = all.split([self.latent, self.latent, self.context], dim=1)
        return mean, (0.5 * raw.clamp(-6, 2)).exp(), context

    def losses(self, run, batch):
        """−E[log p(x|z_K)] + E[log q(z_0|x) − log |det| − log p(z_K)]; y ← m + y exp(s/10), order reversed before."""
        mean, deviation, context = self.posterior(run, batch["images"])
        start = mean + deviation * batch["noise"]
        y, log_determinant = start, 0
        for step in range(self.steps):
            y = y.flip(1)
            shift, s = self.made(run, f"flow.step{step}", y, context)
            y = shift + y * (s / 10).exp()
            log_determinant = log_determinant + (s / 10).sum(1)
        terms = {
            "reconstruction": self.reconstruction_loss(run, batch["images"], y),
            "logStart": log_normal(start, mean, deviation).mean(),
            "logDeterminant": log_determinant.mean(),
            "logPrior": log_normal(y).mean(),
        }
        total = terms["reconstruction"] + terms["logStart"] - terms["logDeterminant"]
        return {"total": total - terms["logPrior"], **terms}


if __name__ == "__main__":
    golden.main(
        FlowVAE("vae-flow", seed=1), FlowVAE("vae-flow-no-context", seed=3, context=0, steps=3)
    )
