"""Golden values of `two-stage-vae`: Dai & Wipf, "Diagnosing and Enhancing VAE Models", ICLR 2019.

The first stage runs in three steps, the second in the others.
"""

import math
from dataclasses import dataclass

import torch

import golden
from golden import Forward, Model, Phase, adam, mean_of_sums, weights
from networks import A4

HIDDEN = [12, 10]


class Inference(Forward):
    """A pass by running statistics, freed of the share of their first values; 0 and 1 before any step."""

    def batch_norm(self, name, x):
        rest = 1 - self.values[f"{name}.starting_share"]
        mean, variance = self.values[f"{name}.running_mean"], self.values[f"{name}.running_var"]
        mean, variance = (mean / rest, variance / rest) if rest > 0 else (mean, variance + 1)
        gamma, beta = self.values[f"{name}.gamma"], self.values[f"{name}.beta"]
        return (x - mean) / (variance + self.epsilon).sqrt() * gamma + beta


@dataclass
class TwoStageVAE(Model):
    decay: float = 0.999
    epsilon: float = 1e-5

    model = "two-stage-vae"
    latent = 4
    schedule = [("first stage", 0), ("second stage", 1)]
    stages = {"first stage": range(0, 3), "second stage": range(3, 10)}
    purposes = {"noise": "posterior", "second_noise": "second posterior"}

    def __post_init__(self):
        self.networks = A4(self.side, self.channels)

    @property
    def configuration(self):
        return {
            "networks": "a4", "latentSize": self.latent, "filters": 4, "hiddenSize": 16,
            "secondHidden": HIDDEN, "firstStageSteps": 3, "learningRate": 1e-3,
            "secondLearningRate": 1e-3, "halvingSteps": 0, "secondHalvingSteps": 0,
        }

    @property
    def phases(self):
        second = ("secondEncoder", "secondDecoder")
        return [
            Phase("first stage", ("encoder", "decoder"), adam(1e-3), self.first_losses, True),
            Phase("second stage", second, adam(1e-3), self.second_losses),
        ]

    def shapes(self):
        return {
            **self.networks.encoder_shapes(2 * self.latent),
            **self.networks.decoder_shapes(self.latent),
            "decoder.log_gamma": [1],
            **skip_shapes("secondEncoder", self.latent, 2 * self.latent),
            **skip_shapes("secondDecoder", self.latent, self.latent),
            "secondDecoder.log_gamma": [1],
        }

    def draws(self):
        return {name: (torch.randn, [self.latent], 0) for name in self.purposes}

    def first_losses(self, run, batch):
        mean, deviation = self.networks.posterior(run, batch["images"])
        decoded = self.networks.decode(run, mean + deviation * batch["noise"])
        return bound(batch["images"], decoded, run.values["decoder.log_gamma"], mean, deviation)

    def second_losses(self, run, batch):
        """The same of codes z ~ q(z|x), which the first stage gives in inference."""
        first = Inference(run.values, run.decay, run.epsilon)
        mean, deviation = self.networks.posterior(first, batch["images"])
        codes = mean + deviation * batch["noise"]
        mean, log_deviation = skip(run, "secondEncoder", codes).chunk(2, dim=1)
        deviation = log_deviation.exp()
        decoded = skip(run, "secondDecoder", mean + deviation * batch["second_noise"])
        run.margin = min(run.margin, first.margin)
        return bound(codes, decoded, run.values["secondDecoder.log_gamma"], mean, deviation)


def bound(x, decoded, log_gamma, mean, deviation):
    """−log p(x|z) with deviation γ, and KL(q(z|x) ‖ N(0, I))."""
    error = (x - decoded) / log_gamma.exp()
    reconstruction = mean_of_sums(error**2 / 2 + log_gamma + 0.5 * math.log(2 * math.pi))
    divergence = mean_of_sums(0.5 * (mean**2 + deviation**2 - 2 * deviation.log() - 1))
    total = reconstruction + divergence
    return {"total": total, "reconstruction": reconstruction, "divergence": divergence}


def skip_shapes(name, inputs, outputs):
    widths, shapes = [inputs, *HIDDEN], {}
    for layer, width in enumerate(HIDDEN):
        shapes |= weights(f"{name}.layer{layer}", widths[layer], width)
    return shapes | weights(f"{name}.output", inputs + HIDDEN[-1], outputs)


def skip(run, name, x):
    """Hidden layers with ReLU; the output layer sees [x, h]."""
    h = x
    for layer in range(len(HIDDEN)):
        h = run.relu(run.linear(f"{name}.layer{layer}", h))
    return run.linear(f"{name}.output", torch.cat([x, h], dim=1))


if __name__ == "__main__":
    golden.main(TwoStageVAE("two-stage-vae", seed=5))
