"""Golden values of `injflow`: Kumar et al., "Regularized Autoencoders via Relaxed Injective Probability Flow", 2020."""

from dataclasses import dataclass

import torch

import golden
from golden import Forward, Model, Phase, adam, mean_of_sums
from networks import A1

WEIGHT = 0.1  # large, so that it shows in ten steps


class Composed(Forward):
    """Batch norm of plain operations: the third derivative of PyTorch's own takes its statistics for constants."""

    def batch_norm(self, name, x):
        super().batch_norm(name, x.detach())
        variance, mean = torch.var_mean(x.reshape(-1, x.shape[-1]), dim=0, correction=0)
        gamma, beta = self.values[f"{name}.gamma"], self.values[f"{name}.beta"]
        return (x - mean) / (variance + self.epsilon).sqrt() * gamma + beta


@dataclass
class InjFlow(Model):
    model = "injflow"
    latent = 4
    schedule = [("likelihood", 0)]
    purposes = {"direction": "direction"}

    def __post_init__(self):
        self.networks = A1(self.side, self.channels)

    @property
    def configuration(self):
        return {
            "networks": "a1", "latentSize": self.latent, "filters": 4, "hiddenSize": 16,
            "flowWeight": WEIGHT, "learningRate": 1e-3, "halvingSteps": 0,
        }

    @property
    def phases(self):
        return [Phase("likelihood", ("encoder", "decoder"), adam(1e-3), self.losses, True)]

    def shapes(self):
        return self.networks.encoder_shapes(self.latent) | self.networks.decoder_shapes(self.latent)

    def draws(self):
        return {"direction": (torch.randn, [self.latent], 0)}

    def losses(self, run, batch):
        """‖x − g(z)‖² + w (½ ‖z‖² + m log ‖J v‖), z = h(x), v of length 1."""
        composed = Composed(run.values, run.decay, run.epsilon)
        codes = self.networks.encode(composed, batch["images"])
        decoded = self.networks.decode(composed, codes)
        run.buffers, run.margin = composed.buffers, composed.margin
        direction = batch["direction"] / batch["direction"].norm(dim=1, keepdim=True)
        stretch = jacobian_vector_product(decoded, codes, direction).flatten(1).square().sum(1)
        error = mean_of_sums((batch["images"] - decoded) ** 2)
        size = 0.5 * mean_of_sums(codes**2)
        volume = 0.5 * self.latent * (stretch + 1e-12).log().mean()
        total = error + WEIGHT * (size + volume)
        return {"total": total, "reconstruction": error, "codes": size, "volume": volume}


def jacobian_vector_product(y, x, v):
    """(∂y/∂x) v, the gradient of v · (∂y/∂x)ᵀ u in u."""
    u = torch.ones_like(y, requires_grad=True)
    (pulled,) = torch.autograd.grad(y, x, u, create_graph=True)
    return torch.autograd.grad((pulled * v).sum(), u, create_graph=True)[0]


def check_product(model, step=1e-6):
    """The product against central differences of the decoder."""
    values, batch = golden.initial_values(model), model.batch(golden.data(model), 0, 0)
    run = Composed(values, model.decay, model.epsilon)
    codes = model.networks.encode(run, batch["images"]).requires_grad_()
    v = batch["direction"]
    found = jacobian_vector_product(model.networks.decode(run, codes), codes, v).detach()
    rise = model.networks.decode(run, codes + step * v) - model.networks.decode(run, codes - step * v)
    error = golden.deviation(found, rise.detach() / (2 * step))
    assert error < 1e-7, f"J v is {error} away from central differences"
    print(f"  J v against central differences in float64: {error:.2e}")


def check_gradients(model, step=1e-7):
    """Each parameter's gradient along a random direction against central differences."""
    phase, values = model.phases[0], golden.initial_values(model)
    batch, worst = model.batch(golden.data(model), 0, 0), 0.0
    generator = torch.Generator().manual_seed(0)
    for name, gradient in golden.evaluate(model, phase, values, batch)[1].items():
        way = torch.randn(gradient.shape, generator=generator, dtype=torch.float64)
        rise = [
            golden.evaluate(model, phase, values | {name: values[name] + sign * step * way}, batch)[0]["total"]
            for sign in (1, -1)
        ]
        error = (rise[0] - rise[1]) / (2 * step) - (gradient * way).sum()
        worst = max(worst, (error.abs() / gradient.abs().max().clamp(min=1e-3)).item())
    assert worst < 1e-5, f"gradients are {worst} away from central differences"
    print(f"  gradients along random directions against central differences: {worst:.2e}")


if __name__ == "__main__":
    model = InjFlow("injflow", seed=3)
    golden.main(model)
    check_product(model)
    check_gradients(model)
