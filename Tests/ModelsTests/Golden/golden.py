"""Golden values for lathe's VAE and FlexAE, computed by PyTorch.

`python3 golden.py` rewrites the .safetensors files beside it. Each holds one narrow model:

    initial.NAME            parameters and buffers before training
    images, noise, mix      the data of every step; the metadata describe their leading axes
    terms.PHASE.TERM        the phase's loss terms at the initial values
    gradient.PHASE.NAME     gradients of the phase's total, for every parameter that the phase moves
    buffers.PHASE.NAME      what that first forward pass stores, for the phases that store anything
    curve.PHASE.TERM        loss terms of ten steps, [steps] or [steps, repeats]
    final.NAME              parameters and buffers after them
    damped.curve.PHASE.TERM, damped.final.NAME
                            the same ten steps with Adam's epsilon at DAMPED instead of 1e-8

A bias before a batch norm, and all that only shifts a batch norm's input, has a gradient of zero in
exact arithmetic. Adam with epsilon 1e-8 blows its rounding noise up to full steps, which differ
from machine to machine: `final` of these names, and what depends on them, is loose by nature. The
damped run has no such noise and can be held to five digits throughout. The metadata name the
vanishing gradients and say how closely a float32 run follows, kind by kind.

Goals, in order:
 1. The equations can be read off: one function for one loss, layers by name, PyTorch's operations.
 2. A deviation from these numbers means something. They are computed in float64 from float32 inputs
    and rounded once; a float32 run of the same script must stay within the tolerances below, which
    is asserted; and no ReLU is so near its kink that rounding could decide it.
 3. Small files, the same on every run.

Layouts are lathe's (TensorFlow's): images [N, height, width, channels]; convolution weights
[height, width, in, out]; transposed convolution weights [height, width, out, in]; linear weights
[in, out]. Activations stay NHWC, so a flattened image is in NHWC order. The networks are narrow
versions of those of Dai & Wipf, "Diagnosing and Enhancing VAE Models", ICLR 2019, and Mondal et
al., "FlexAE: Flexibly Learning Latent Priors for Wasserstein Auto-Encoders", UAI 2021.
"""

import itertools
import json
import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import torch
import torch.nn.functional as F
from safetensors.torch import load

STEPS, BATCH, CRITIC_STEPS = 10, 6, 5
EPSILON, DAMPED = 1e-8, 1e-3  # Adam's, in the plain and in the damped run
TOLERANCES = {  # of float32, beside a tensor's largest entry
    "terms": 1e-5,
    "gradient": 1e-4,
    "buffers": 1e-5,
    "curve": 2e-2,
    "damped.curve": 1e-4,
    "damped.final": 1e-4,
}
KINK_MARGIN = 1e-5  # the least |input| of any ReLU
VANISHING = 1e-12  # a gradient this small beside its phase's largest is zero but for rounding


# ---- Layers --------------------------------------------------------------------------------------


class Forward:
    """One forward pass in training mode: layers found by name in `values`, activations NHWC.

    `buffers` collects what the pass would store (running statistics, power-iteration vectors);
    whoever trains decides whether to keep it. `margin` is the smallest |input| of any ReLU.
    """

    def __init__(self, values, decay, epsilon):
        self.values, self.decay, self.epsilon = values, decay, epsilon
        self.buffers, self.margin = {}, math.inf

    def linear(self, name, x, spectral=False):
        """x · W + b, W [in, out]."""
        return x @ self.weight(name, spectral) + self.values[f"{name}.bias"]

    def convolution(self, name, x, stride=2, spectral=False):
        """SAME convolution, kernel [height, width, in, out].

        Kernel 4 with stride 2 (even sides) and kernel 3 with stride 1 both pad 1 on each side.
        """
        kernel = self.weight(name, spectral).permute(3, 2, 0, 1).contiguous()
        bias = self.values[f"{name}.bias"]
        return F.conv2d(x.permute(0, 3, 1, 2), kernel, bias, stride, padding=1).permute(0, 2, 3, 1)

    def transposed_convolution(self, name, x):
        """The adjoint of the SAME convolution with kernel 4 [height, width, out, in], stride 2."""
        kernel = self.weight(name).permute(3, 2, 0, 1).contiguous()
        bias = self.values[f"{name}.bias"]
        y = F.conv_transpose2d(x.permute(0, 3, 1, 2), kernel, bias, stride=2, padding=1)
        return y.permute(0, 2, 3, 1)

    def weight(self, name, spectral=False):
        """W, or with spectral normalisation W/σ, σ = vᵀWu', v = Wu/‖Wu‖, u' = Wᵀv/‖Wᵀv‖.

        W is seen as [height · width · in, out], u is [out]; u' and v are constants to the gradient.
        Miyato et al., "Spectral Normalization for GANs", ICLR 2018, Algorithm 1.
        """
        weight = self.values[f"{name}.weight"]
        if not spectral:
            return weight
        matrix = weight.reshape(-1, weight.shape[-1])
        with torch.no_grad():
            v = normalized(matrix @ self.values[f"{name}.u"])
            u = normalized(matrix.T @ v)
        self.buffers[f"{name}.u"] = u
        return weight / (v @ matrix @ u)

    def batch_norm(self, name, x):
        """γ (x − mean)/√(variance + ε) + β by the batch's statistics over all axes but the last.

        The running averages keep `decay` of the old and take the biased variance, as TensorFlow's
        moments give it.
        """
        rows = x.reshape(-1, x.shape[-1])
        variance, mean = torch.var_mean(rows.detach(), dim=0, correction=0)
        for statistic, value in (("running_mean", mean), ("running_var", variance)):
            old = self.values[f"{name}.{statistic}"]
            self.buffers[f"{name}.{statistic}"] = self.decay * old + (1 - self.decay) * value
        gamma, beta = self.values[f"{name}.gamma"], self.values[f"{name}.beta"]
        y = F.batch_norm(rows, None, None, gamma, beta, training=True, eps=self.epsilon)
        return y.reshape(x.shape)

    def relu(self, x, slope=0.0):
        self.margin = min(self.margin, x.detach().abs().min().item())
        return F.leaky_relu(x, slope)


def normalized(x):
    return x / (x.norm() + 1e-12)


def mean_of_sums(x):
    """Sum over everything but the batch, mean over the batch."""
    return x.flatten(1).sum(1).mean()


def floored_log(p):
    """log max(p, 1e-8)."""
    return p.clamp(min=1e-8).log()


# ---- Models --------------------------------------------------------------------------------------


@dataclass
class Phase:
    """One optimizer update: the groups it moves, its Adam, its loss terms; it minimises `total`."""

    name: str
    groups: tuple
    rate: float
    betas: tuple
    losses: Callable
    moves_buffers: bool = False


@dataclass
class VAE:
    """Kingma & Welling, 2014, with the networks and likelihoods of Dai & Wipf."""

    name: str
    likelihood: str
    seed: int
    side: int = 8
    channels: int = 1
    filters: int = 4
    hidden: int = 16
    latent: int = 4
    decay: float = 0.999
    epsilon: float = 1e-5

    # Each step: (phase, repeat whose batch it takes).
    schedule = [("elbo", 0)]
    conventions = {
        "data": "step s trains on images[s], noise[s]",
        "terms, gradient, buffers": "initial values, images[0], noise[0]",
    }

    @property
    def phases(self):
        """The rate is ten times that of the paper's code: ten steps of a narrow net should move."""
        return [Phase("elbo", ("encoder", "decoder"), 1e-3, (0.9, 0.999), self.losses, True)]

    def batch(self, data, step, repeat):
        return {name: values[step] for name, values in data.items()}

    def shapes(self):
        f, h, m, c = self.filters, self.hidden, self.latent, self.channels
        flat = 2 * f * (self.side // 4) ** 2
        return {
            **weights("encoder.conv0", 4, 4, c, f),
            **power_vector("encoder.conv0", f),
            **weights("encoder.conv1", 4, 4, f, 2 * f),
            **power_vector("encoder.conv1", 2 * f),
            **norm("encoder.norm1", 2 * f),
            **weights("encoder.hidden", flat, h),
            **power_vector("encoder.hidden", h),
            **norm("encoder.norm2", h),
            **weights("encoder.codes", h, 2 * m),
            **power_vector("encoder.codes", 2 * m),
            **weights("decoder.hidden0", m, h),
            **norm("decoder.norm0", h),
            **weights("decoder.hidden1", h, flat),
            **norm("decoder.norm1", flat),
            **transposed_weights("decoder.conv0", 4, 4, f, 2 * f),
            **norm("decoder.norm2", f),
            **transposed_weights("decoder.conv1", 4, 4, c, f),
            **({"decoder.log_gamma": [1]} if self.likelihood == "learned-variance" else {}),
        }

    def draws(self):
        return {"noise": (torch.randn, [STEPS, BATCH, self.latent])}

    def image_shape(self):
        return [STEPS, BATCH, self.side, self.side, self.channels]

    def encode(self, run, x):
        """Mean and standard deviation of q(z|x), each [N, latent]."""
        h = run.relu(run.convolution("encoder.conv0", x, spectral=True), 0.2)
        h = run.convolution("encoder.conv1", h, spectral=True)
        h = run.relu(run.batch_norm("encoder.norm1", h), 0.2).flatten(1)
        h = run.linear("encoder.hidden", h, spectral=True)
        h = run.relu(run.batch_norm("encoder.norm2", h), 0.2)
        mean, raw = run.linear("encoder.codes", h, spectral=True).chunk(2, dim=1)
        return mean, 1e-6 + F.softplus(raw)

    def decode(self, run, z):
        h = run.relu(run.batch_norm("decoder.norm0", run.linear("decoder.hidden0", z)))
        h = run.relu(run.batch_norm("decoder.norm1", run.linear("decoder.hidden1", h)))
        h = h.reshape(len(z), self.side // 4, self.side // 4, 2 * self.filters)
        h = run.transposed_convolution("decoder.conv0", h)
        h = run.relu(run.batch_norm("decoder.norm2", h))
        return torch.sigmoid(run.transposed_convolution("decoder.conv1", h))

    def reconstruction_loss(self, run, x, y):
        """−log p(x|z) in nats per image."""
        if self.likelihood == "cross-entropy":
            return -mean_of_sums(x * floored_log(y) + (1 - x) * floored_log(1 - y))
        fixed = torch.zeros(1, dtype=x.dtype)
        log_gamma = run.values.get("decoder.log_gamma", fixed)
        error = (x - y) / log_gamma.exp()
        return mean_of_sums(error**2 / 2 + log_gamma + 0.5 * math.log(2 * math.pi))

    def losses(self, run, batch):
        """−E[log p(x|z)] + KL(q(z|x) ‖ N(0, I)), z = mean + deviation · noise."""
        mean, deviation = self.encode(run, batch["images"])
        reconstruction = self.decode(run, mean + deviation * batch["noise"])
        divergence = mean_of_sums(0.5 * (mean**2 + deviation**2 - 2 * deviation.log() - 1))
        reconstruction = self.reconstruction_loss(run, batch["images"], reconstruction)
        return {
            "total": reconstruction + divergence,
            "reconstruction": reconstruction,
            "divergence": divergence,
        }


@dataclass
class FlexAE:
    """Auto-encoder whose prior is a generator that a WGAN-GP critic compares with the codes."""

    name: str
    seed: int
    side: int = 8
    channels: int = 1
    filters: int = 4
    hidden: int = 16
    prior_hidden: int = 16
    latent: int = 4
    noise: int = 4
    penalty_weight: float = 10.0
    decay: float = 0.99
    epsilon: float = 1e-3

    # Each step: (phase, repeat whose batch it takes).
    schedule = [
        ("reconstruction", 0),
        *(("critic", repeat) for repeat in range(CRITIC_STEPS)),
        ("generator", CRITIC_STEPS - 1),
        ("encoder", CRITIC_STEPS - 1),
    ]
    conventions = {
        "data": "step s: reconstruction on images[s,0]; critic repeat r on images[s,1+r], "
        "noise[s,r], mix[s,r]; then generator on noise[s,4]; then encoder on images[s,5]",
        "terms, gradient, buffers": "initial values; reconstruction on images[0,0]; critic, "
        "generator and encoder on images[0,1], noise[0,0], mix[0,0]",
        "batch norm": "batch statistics in every phase; running averages move in reconstruction",
    }

    @property
    def phases(self):
        """The rates are ten times those of the paper's code."""
        autoencoder = ("encoder", "decoder")
        reconstruct, judge = self.reconstruction_losses, self.critic_losses
        return [
            Phase("reconstruction", autoencoder, 2e-3, (0.9, 0.999), reconstruct, True),
            Phase("critic", ("critic",), 1e-3, (0.0, 0.9), judge),
            Phase("generator", ("generator",), 2e-3, (0.0, 0.9), self.generator_losses),
            Phase("encoder", ("encoder",), 1e-4, (0.0, 0.9), self.encoder_losses),
        ]

    def batch(self, data, step, repeat):
        return {
            "reconstructed": data["images"][step, 0],
            "images": data["images"][step, 1 + repeat],
            "noise": data["noise"][step, repeat],
            "mix": data["mix"][step, repeat],
        }

    def shapes(self):
        f, h, m = self.filters, self.hidden, self.latent
        flat = 2 * f * (self.side // 4) ** 2
        return {
            **weights("encoder.conv0", 4, 4, self.channels, f),
            **weights("encoder.conv1", 4, 4, f, 2 * f),
            **norm("encoder.norm0", 2 * f),
            **weights("encoder.hidden", flat, h),
            **norm("encoder.norm1", h),
            **weights("encoder.codes", h, m),
            **weights("decoder.hidden0", m, h),
            **norm("decoder.norm0", h),
            **weights("decoder.hidden1", h, flat),
            **norm("decoder.norm1", flat),
            **transposed_weights("decoder.conv0", 4, 4, 2 * f, 2 * f),
            **norm("decoder.norm2", 2 * f),
            **transposed_weights("decoder.conv1", 4, 4, f, 2 * f),
            **norm("decoder.norm3", f),
            **weights("decoder.conv2", 3, 3, f, self.channels),
            **self.perceptron_shapes("generator", self.noise, m),
            **self.perceptron_shapes("critic", m, 1),
        }

    def perceptron_shapes(self, name, inputs, outputs):
        h, shapes = self.prior_hidden, {}
        for layer in range(4):
            shapes |= weights(f"{name}.layer{layer}", h if layer else inputs, h)
        return shapes | weights(f"{name}.output", h, outputs)

    def draws(self):
        leading = [STEPS, CRITIC_STEPS, BATCH]
        return {"noise": (torch.randn, [*leading, self.noise]), "mix": (torch.rand, [*leading, 1])}

    def image_shape(self):
        return [STEPS, 1 + CRITIC_STEPS, BATCH, self.side, self.side, self.channels]

    def encode(self, run, x):
        h = run.relu(run.convolution("encoder.conv0", x))
        h = run.convolution("encoder.conv1", h)
        h = run.relu(run.batch_norm("encoder.norm0", h)).flatten(1)
        h = run.relu(run.batch_norm("encoder.norm1", run.linear("encoder.hidden", h)))
        return run.linear("encoder.codes", h)

    def decode(self, run, z):
        h = run.relu(run.batch_norm("decoder.norm0", run.linear("decoder.hidden0", z)))
        h = run.relu(run.batch_norm("decoder.norm1", run.linear("decoder.hidden1", h)))
        h = h.reshape(len(z), self.side // 4, self.side // 4, 2 * self.filters)
        h = run.transposed_convolution("decoder.conv0", h)
        h = run.relu(run.batch_norm("decoder.norm2", h))
        h = run.transposed_convolution("decoder.conv1", h)
        h = run.relu(run.batch_norm("decoder.norm3", h))
        return torch.sigmoid(run.convolution("decoder.conv2", h, stride=1))

    def generate(self, run, noise):
        return self.perceptron(run, "generator", noise)

    def critic(self, run, codes):
        return self.perceptron(run, "critic", codes)

    def perceptron(self, run, name, x):
        for layer in range(4):
            x = run.relu(run.linear(f"{name}.layer{layer}", x))
        return run.linear(f"{name}.output", x)

    def reconstruction_losses(self, run, batch):
        """Σ (x − Dec(E(x)))² per image."""
        x = batch["reconstructed"]
        return {"total": mean_of_sums((x - self.decode(run, self.encode(run, x))) ** 2)}

    def critic_losses(self, run, batch):
        """mean C(G(n)) − mean C(E(x)) + λ mean (‖∇C(ẑ)‖ − 1)², ẑ = G(n) + t (E(x) − G(n))."""
        codes = self.encode(run, batch["images"]).detach()
        prior = self.generate(run, batch["noise"]).detach()
        between = (prior + batch["mix"] * (codes - prior)).requires_grad_()
        score = self.critic(run, between).sum()
        (slope,) = torch.autograd.grad(score, between, create_graph=True)
        norm = ((slope**2).sum(1) + 1e-12).sqrt()
        penalty = ((norm - 1) ** 2).mean()
        distance = self.critic(run, codes).mean() - self.critic(run, prior).mean()
        total = self.penalty_weight * penalty - distance
        return {"total": total, "distance": distance, "penalty": penalty}

    def generator_losses(self, run, batch):
        """−mean C(G(n))."""
        return {"total": -self.critic(run, self.generate(run, batch["noise"])).mean()}

    def encoder_losses(self, run, batch):
        """mean C(E(x))."""
        return {"total": self.critic(run, self.encode(run, batch["images"])).mean()}


# ---- Initial values and data ---------------------------------------------------------------------


def weights(name, *shape):
    """Kernel [height, width, in, out] or weight [in, out], and bias [out]."""
    return {f"{name}.weight": list(shape), f"{name}.bias": [shape[-1]]}


def transposed_weights(name, *shape):
    """Kernel [height, width, out, in], and bias [out]."""
    return {f"{name}.weight": list(shape), f"{name}.bias": [shape[-2]]}


def norm(name, channels):
    values = ("gamma", "beta", "running_mean", "running_var")
    return {f"{name}.{value}": [channels] for value in values}


def power_vector(name, outputs):
    return {f"{name}.u": [outputs]}


def is_buffer(name):
    return name.rsplit(".")[-1] in ("running_mean", "running_var", "u")


def draw(name, shape, generator):
    """Weights Glorot-normal; biases, γ − 1, β, log γ of spread 0.1; u normal; averages 0 and 1."""
    kind = name.rsplit(".")[-1]
    normal = torch.randn(shape, generator=generator, dtype=torch.float64)
    if kind == "weight":
        fans = (shape[-2] + shape[-1]) * math.prod(shape[:-2])
        return normal * math.sqrt(2 / fans)
    if kind in ("running_mean", "running_var"):
        return torch.full(shape, float(kind == "running_var"), dtype=torch.float64)
    return normal if kind == "u" else 0.1 * normal + float(kind == "gamma")


def waves(shape, generator):
    """Smooth images in [0, 1]: in each channel two plane waves of up to a period and a half."""
    *leading, height, width, channels = shape
    across, down, phase, strength = torch.rand(
        [4, *leading, 1, 1, channels, 2], generator=generator, dtype=torch.float64
    ).unbind()
    y = torch.arange(height, dtype=torch.float64).view(height, 1, 1, 1) / height
    x = torch.arange(width, dtype=torch.float64).view(1, width, 1, 1) / width
    angle = 2 * math.pi * ((3 * across - 1.5) * x + (3 * down - 1.5) * y + phase)
    return (0.5 + 0.25 * ((0.4 + 0.6 * strength) * angle.sin()).sum(-1)).clamp(0, 1)


def single(tensors):
    """Each tensor rounded to float32 and kept as float64: what a reader of the file starts from."""
    return {name: tensor.float().double() for name, tensor in tensors.items()}


def initial_values(model):
    generator = torch.Generator().manual_seed(model.seed)
    return single({name: draw(name, shape, generator) for name, shape in model.shapes().items()})


def data(model):
    generator = torch.Generator().manual_seed(model.seed + 1_000_000)
    drawn = {"images": waves(model.image_shape(), generator)}
    for name, (distribution, shape) in model.draws().items():
        drawn[name] = distribution(shape, generator=generator, dtype=torch.float64)
    return single(drawn)


# ---- Training ------------------------------------------------------------------------------------


@dataclass
class Adam:
    """Kingma & Ba, 2015, in the form of the end of Section 2: ε is not bias-corrected."""

    rate: float
    betas: tuple
    epsilon: float
    steps: int = 0
    first: dict = field(default_factory=dict)
    second: dict = field(default_factory=dict)

    def update(self, values, gradients):
        """The moved values. θ ← θ − rate √(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε)."""
        (b1, b2), moved = self.betas, {}
        self.steps += 1
        rate = self.rate * math.sqrt(1 - b2**self.steps) / (1 - b1**self.steps)
        for name, gradient in gradients.items():
            self.first[name] = b1 * self.first.get(name, 0) + (1 - b1) * gradient
            self.second[name] = b2 * self.second.get(name, 0) + (1 - b2) * gradient**2
            direction = self.first[name] / (self.second[name].sqrt() + self.epsilon)
            moved[name] = values[name] - rate * direction
        return moved


def evaluate(model, phase, values, batch):
    """Loss terms, gradients of the total for the phase's parameters, and the forward pass."""
    moving = [name for name in values if name.split(".")[0] in phase.groups and not is_buffer(name)]
    leaves = {name: values[name].detach().requires_grad_() for name in moving}
    run = Forward(values | leaves, model.decay, model.epsilon)
    terms = phase.losses(run, batch)
    gradients = torch.autograd.grad(terms["total"], list(leaves.values()))
    terms = {name: term.detach() for name, term in terms.items()}
    return terms, dict(zip(moving, gradients, strict=True)), run


def first_evaluations(model, values, data):
    """`terms`, `gradient`, `buffers` of every phase at the initial values; smallest ReLU margin."""
    found, margin = {}, math.inf
    for phase in model.phases:
        terms, gradients, run = evaluate(model, phase, values, model.batch(data, 0, 0))
        stored = run.buffers if phase.moves_buffers else {}
        for kind, group in (("terms", terms), ("gradient", gradients), ("buffers", stored)):
            found |= {f"{kind}.{phase.name}.{name}": value for name, value in group.items()}
        margin = min(margin, run.margin)
    return found, margin


def train(model, values, data, epsilon):
    """`curve.PHASE.TERM` [steps] or [steps, repeats], `final.NAME`; smallest ReLU margin."""
    phases = {phase.name: phase for phase in model.phases}
    optimizers = {name: Adam(phase.rate, phase.betas, epsilon) for name, phase in phases.items()}
    curves, margin = {}, math.inf
    for step, (name, repeat) in itertools.product(range(STEPS), model.schedule):
        batch = model.batch(data, step, repeat)
        terms, gradients, run = evaluate(model, phases[name], values, batch)
        for term, value in terms.items():
            curves.setdefault(f"curve.{name}.{term}", []).append(value)
        values = values | optimizers[name].update(values, gradients)
        values = values | (run.buffers if phases[name].moves_buffers else {})
        margin = min(margin, run.margin)
    found = {name: torch.stack(curve).view(STEPS, -1).squeeze(1) for name, curve in curves.items()}
    return found | {f"final.{name}": value for name, value in values.items()}, margin


def compute(model, initial, inputs):
    """Everything that follows from the initial values and the data; smallest ReLU margin."""
    found, margin = first_evaluations(model, initial, inputs)
    for prefix, epsilon in (("", EPSILON), ("damped.", DAMPED)):
        trained, least = train(model, initial, inputs, epsilon)
        found |= {prefix + name: value for name, value in trained.items()}
        margin = min(margin, least)
    return found, margin


# ---- Checks --------------------------------------------------------------------------------------


def vanishing_gradients(computed):
    """Gradients that are zero in exact arithmetic, such as a bias's before a batch norm."""
    gradients = {n: value.abs().max() for n, value in computed.items() if n.startswith("gradient.")}
    largest = {}
    for name, value in gradients.items():
        phase = name.split(".")[1]
        largest[phase] = max(largest.get(phase, 0), value)
    return [n for n, value in gradients.items() if value < VANISHING * largest[n.split(".")[1]]]


def deviation(value, expected):
    """Largest difference beside the largest entry."""
    return ((value.double() - expected).abs().max() / expected.abs().max()).item()


def deviations(found, expected, names):
    """Worst deviation among the named tensors, and whose it is."""
    return max((deviation(found[name], expected[name]), name) for name in names)


def float32_report(model, initial, inputs, expected, vanishing):
    """How closely a float32 run of this script follows: kind -> (worst deviation, its tensor)."""
    found, _ = compute(model, *({n: t.float() for n, t in d.items()} for d in (initial, inputs)))

    def names(kind):
        return [n for n in expected if n.startswith(f"{kind}.") and n not in vanishing]

    drifting = {f"final.{name.split('.', 2)[2]}" for name in vanishing}
    drifting |= {name for name in names("final") if name.endswith("running_mean")}
    steady = set(names("final")) - drifting
    report = {kind: deviations(found, expected, names(kind)) for kind in TOLERANCES}
    report |= {name: deviations(found, expected, [name]) for name in names("curve")}
    report["final"] = deviations(found, expected, steady)
    report["final, vanishing gradient or running_mean"] = deviations(found, expected, drifting)
    noise = max((found[name].abs().max().item(), name) for name in vanishing)
    return report | {"vanishing gradient (absolute)": noise}


def finite_difference_error(model, phase, values, batch, step=1e-6):
    """Worst gradient entry against central differences, beside its tensor's largest entry.

    A vanishing gradient is compared absolutely, in thousandths.
    """

    def total(name, value):
        return evaluate(model, phase, values | {name: value}, batch)[0]["total"]

    worst = 0.0
    for name, gradient in evaluate(model, phase, values, batch)[1].items():
        estimate = torch.empty(gradient.shape, dtype=gradient.dtype)
        for index in range(gradient.numel()):
            shift = torch.zeros(gradient.shape, dtype=gradient.dtype)
            shift.view(-1)[index] = step
            rise = total(name, values[name] + shift) - total(name, values[name] - shift)
            estimate.view(-1)[index] = rise / (2 * step)
        error, scale = (estimate - gradient).abs().max(), gradient.abs().max()
        worst = max(worst, (error / scale.clamp(min=1e-3)).item())
    return worst


# ---- Files ---------------------------------------------------------------------------------------


def metadata(model, vanishing, margin):
    phases = {phase.name: phase for phase in model.phases}
    entries = {
        "torch": torch.__version__,
        "precision": "computed in float64, stored as float32",
        "layout": "NHWC; convolution HWIO, transposed convolution HWOI, linear IO",
        "configuration": vars(model),
        "learning rates": {name: phase.rate for name, phase in phases.items()},
        "betas": {name: phase.betas for name, phase in phases.items()},
        "updates": {name: phase.groups for name, phase in phases.items()},
        "adam epsilon": {"curve, final": EPSILON, "damped": DAMPED},
        "conventions": model.conventions,
        "vanishing gradients": vanishing,
        "float32 within, relative to a tensor's largest entry": TOLERANCES,
        "smallest ReLU input": f"{margin:.1e}",
    }
    return {name: e if isinstance(e, str) else json.dumps(e) for name, e in entries.items()}


def safetensors(tensors, metadata):
    """The file's bytes; the library's own writer orders the metadata differently on each run."""
    header, blocks, end = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        blocks.append(tensor.contiguous().numpy().astype("<f4").tobytes())
        begin, end = end, end + len(blocks[-1])
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(blocks)


def check(model, report, margin):
    assert margin > KINK_MARGIN, f"{model.name}: ReLU input of {margin}, choose another seed"
    for kind, tolerance in TOLERANCES.items():
        worst, name = report[kind]
        assert worst < tolerance, f"{model.name}: {name}: expected < {tolerance}, found {worst}"


def write(model, folder):
    initial, inputs = initial_values(model), data(model)
    computed, margin = compute(model, initial, inputs)
    vanishing = vanishing_gradients(computed)
    report = float32_report(model, initial, inputs, computed, vanishing)
    check(model, report, margin)
    tensors = {f"initial.{name}": value for name, value in initial.items()} | inputs | computed
    tensors = {name: value.float() for name, value in tensors.items()}
    content = safetensors(tensors, metadata(model, vanishing, margin))
    assert all(torch.equal(value, tensors[name]) for name, value in load(content).items())
    path = folder / f"{model.name}.safetensors"
    path.write_bytes(content)
    print(
        f"{path.name}: {len(tensors)} tensors, {len(content)} bytes, least ReLU input {margin:.1e}"
    )
    for kind, (worst, name) in report.items():
        print(f"  float32 {kind}: {worst:.1e}" + ("" if name == kind else f" ({name})"))


def check_critic_gradient(model):
    critic = next(phase for phase in model.phases if phase.name == "critic")
    batch = model.batch(data(model), 0, 0)
    error = finite_difference_error(model, critic, initial_values(model), batch)
    assert error < 1e-6, f"critic gradient is {error} away from central differences"
    print(f"  critic gradient against central differences in float64: {error:.2e}")


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    flexae = FlexAE("flexae", seed=37)
    models = [
        VAE("vae-cross-entropy", "cross-entropy", seed=29),
        VAE("vae-fixed-variance", "fixed-variance", seed=4),
        VAE("vae-learned-variance", "learned-variance", seed=23, side=12, channels=3),
        flexae,
    ]
    for model in models:
        write(model, Path(__file__).parent)
    check_critic_gradient(flexae)


if __name__ == "__main__":
    main()
