"""Golden values of `vampprior`: a prior that mixes the posteriors of pseudo-inputs. Tomczak and Welling, AISTATS 2018."""

import math
from dataclasses import dataclass

import torch

import golden
from golden import BATCH, Phase, adam
from variational import VariationalModel, log_normal

PSEUDO_INPUTS, WARM_UP_STEPS = 5, 5


@dataclass
class VampPrior(VariationalModel):
    model = "vampprior"
    schedule = [("elbo", 0)]

    @property
    def configuration(self):
        own = {
            "pseudoInputs": PSEUDO_INPUTS, "pseudoInputMean": 0.5, "pseudoInputDeviation": 0.3,
            "warmUpSteps": WARM_UP_STEPS,
        }
        return {**self.shared_configuration, **own}

    @property
    def phases(self):
        groups = ("encoder", "decoder", "prior")
        return [Phase("elbo", groups, adam(self.rate), self.losses, True)]

    def shapes(self):
        inputs = [PSEUDO_INPUTS, self.side, self.side, self.channels]
        return {**self.network_shapes(), "prior.pseudo_inputs": inputs}

    def losses(self, run, batch):
        """−E[log p(x|z)] + β (log q(z|x) − log p(z)), p(z) = (1/K) Σ q(z|u), β = min(1, (step + 1)/5)."""
        inputs = run.values["prior.pseudo_inputs"].clamp(0, 1)
        means, deviations = self.networks.posterior(run, torch.cat([batch["images"], inputs]))
        mean, deviation = means[:BATCH], deviations[:BATCH]
        codes = mean + deviation * batch["noise"]
        reconstruction = self.reconstruction_loss(run, batch["images"], codes)
        components = log_normal(codes[:, None], means[None, BATCH:], deviations[None, BATCH:])
        log_prior = components.logsumexp(1) - math.log(PSEUDO_INPUTS)
        divergence = (log_normal(codes, mean, deviation) - log_prior).mean()
        beta = min(1, (batch["step"] + 1) / WARM_UP_STEPS)
        total = reconstruction + beta * divergence
        return {"total": total, "reconstruction": reconstruction, "divergence": divergence}


if __name__ == "__main__":
    golden.main(VampPrior("vampprior", seed=3, likelihood="cross-entropy"))
