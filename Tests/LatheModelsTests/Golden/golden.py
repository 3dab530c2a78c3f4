"""What the golden files of all models share: layers, optimizers, training, checks, the file.

`python3 MODEL.py` rewrites MODEL.safetensors beside it. A file holds one narrow model:

    initial.NAME            parameters and buffers before training
    images                  [steps, draws, N, height, width, channels], or [steps, N, ...] for one draw a step
    NOISE                   whatever noise the model asks for, the same leading axes; with fewer draws than
                            images it is that of the last draws of a step
    terms.PHASE.TERM        the phase's loss terms at the initial values, on the draw of its first run
    gradient.PHASE.NAME     gradients of the phase's total, for every parameter that the phase moves
    buffers.PHASE.NAME      what that first forward pass stores, for the phases that store anything
    curve.PHASE.TERM        loss terms of ten steps, or of those in which the phase runs, [steps] or [steps, repeats]
    final.NAME              parameters and buffers after them
    damped.curve.PHASE.TERM, damped.final.NAME
                            the same ten steps with Adam's epsilon at DAMPED instead of 1e-8

and in its metadata everything that a test needs: the model's name, the images' shape, the configuration as JSON and
for each noise the purpose for which the model draws it.

A bias before a batch norm, and all that only shifts a batch norm's input, has a gradient of zero in
exact arithmetic. Adam with epsilon 1e-8 blows its rounding noise up to full steps, which differ
from machine to machine: `final` of these names, and what depends on them, is loose by nature. The
damped run has no such noise and can be held to five digits throughout. The metadata name the
vanishing gradients, the curves of the undamped run that a float32 run reproduces nevertheless, and say how
closely a float32 run follows, kind by kind.

Goals, in order:
 1. The equations can be read off: one function for one loss, layers by name, PyTorch's operations.
 2. A deviation from these numbers means something. They are computed in float64 from float32 inputs
    and rounded once; a float32 run of the same script must stay within the tolerances below, which
    is asserted; and no ReLU is so near its kink that rounding could decide it.
 3. Small files, the same on every run.

Layouts are lathe's (TensorFlow's): images [N, height, width, channels]; convolution weights
[height, width, in, out]; transposed convolution weights [height, width, out, in]; linear weights
[in, out]. Activations stay NHWC, so a flattened image is in NHWC order.
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

STEPS, BATCH = 10, 6
EPSILON, DAMPED = 1e-8, 1e-3  # Adam's, in the plain and in the damped run
TOLERANCES = {  # of float32, beside a tensor's largest entry
    "terms": 1e-5,
    "gradient": 1e-4,
    "buffers": 1e-5,
    "curve": 2e-2,
    "damped.curve": 1e-4,
    "damped.final": 1e-4,
}
STEADY = 2e-5  # a curve that a float32 run follows so closely is steady
KINK_MARGIN = 1e-5  # the least |input| of any ReLU, unless a model with very many says otherwise
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

    def transposed_convolution(self, name, x, stride=2):
        """The adjoint of the SAME convolution with kernel 4 [height, width, out, in], stride 2 or 1.

        Stride 1 pads one before and two behind.
        """
        kernel = self.weight(name).permute(3, 2, 0, 1).contiguous()
        bias = self.values[f"{name}.bias"]
        y = F.conv_transpose2d(x.permute(0, 3, 1, 2), kernel, bias, stride, padding=1)
        if stride == 1:
            height, width = x.shape[1:3]
            y = F.conv_transpose2d(x.permute(0, 3, 1, 2), kernel, bias)
            y = y[:, :, 1 : height + 1, 1 : width + 1]
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
        share = f"{name}.starting_share"
        self.buffers[share] = self.decay * self.values[share]
        gamma, beta = self.values[f"{name}.gamma"], self.values[f"{name}.beta"]
        y = F.batch_norm(rows, None, None, gamma, beta, training=True, eps=self.epsilon)
        return y.reshape(x.shape)

    def perceptron(self, name, x, layers=4):
        """Hidden layers with ReLU, linear output."""
        for layer in range(layers):
            x = self.relu(self.linear(f"{name}.layer{layer}", x))
        return self.linear(f"{name}.output", x)

    def relu(self, x, slope=0.0):
        self.margin = min(self.margin, x.detach().abs().min().item())
        return F.leaky_relu(x, slope)


def normalized(x):
    return x / (x.norm() + 1e-12)


def mean_of_sums(x):
    """Sum over everything but the batch, mean over the batch."""
    return x.flatten(1).sum(1).mean()


def gradient_penalty(critic, points):
    """mean (‖∇critic(x)‖ − 1)², a norm over everything but the batch. Gulrajani et al., 2017, Eq. 3."""
    points = points.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    norm = ((slope.flatten(1) ** 2).sum(1) + 1e-12).sqrt()
    return ((norm - 1) ** 2).mean()


def critic_losses(critic, real, generated, mix, weight):
    """mean C(generated) − mean C(real) + λ penalty at generated + t (real − generated). Gulrajani et al., 2017."""
    penalty = gradient_penalty(critic, generated + mix * (real - generated))
    distance = critic(real).mean() - critic(generated).mean()
    return {"total": weight * penalty - distance, "distance": distance, "penalty": penalty}


def floored_log(p):
    """log max(p, 1e-8)."""
    return p.clamp(min=1e-8).log()


def mean_cross_entropy(x, p):
    """−x log p − (1 − x) log (1 − p), the mean over everything."""
    return -(x * floored_log(p) + (1 - x) * floored_log(1 - p)).mean()


# ---- Models --------------------------------------------------------------------------------------


@dataclass
class Phase:
    """One optimizer update: the groups it moves, its rule, its loss terms; it minimises `total`.

    `rule` makes an optimizer for an epsilon: `adam(rate, betas)` or `rms_prop(rate)`.
    """

    name: str
    groups: tuple
    rule: Callable
    losses: Callable
    moves_buffers: bool = False


@dataclass
class Model:
    """A narrow model. A script's class adds its networks, losses and:

    model           the name on lathe's command line
    stages          phase -> the steps in which it runs, for phases that don't run in all
    configuration   lathe's hyperparameters, complete
    schedule        a step: (phase, draw) in order; draws count from 0
    phases          list of Phase
    shapes()        parameters and buffers by lathe's names
    draws()         noise: name -> (distribution, shape of one draw, first draw that has it)
    purposes        noise: name -> the purpose for which lathe's model draws it
    """

    name: str
    seed: int
    side: int = 8
    channels: int = 1
    decay: float = 0.99
    epsilon: float = 1e-3
    kink_margin: float = KINK_MARGIN

    stages = {}

    def draw_count(self):
        return 1 + max(draw for _, draw in self.schedule)

    def leading(self, first=0):
        """Leading axes of what is drawn from the draw `first` of a step on."""
        count = self.draw_count()
        return [STEPS] if count == 1 else [STEPS, count - first]

    def image_shape(self):
        return [*self.leading(), BATCH, self.side, self.side, self.channels]

    def batch(self, data, step, draw):
        """The images, those of the next draw as `others`, and the noise of a draw."""
        found = {}
        for name, values in data.items():
            if self.draw_count() == 1:
                found[name] = values[step]
            elif (place := draw - self.draw_count() + values.shape[1]) >= 0:
                found[name] = values[step, place]
        if draw + 1 < self.draw_count():
            found["others"] = data["images"][step, draw + 1]
        return found


# ---- Names and shapes ----------------------------------------------------------------------------


def perceptron_shapes(name, inputs, hidden, outputs):
    """Layers with the widths `hidden` and an output layer."""
    widths, shapes = [inputs, *hidden], {}
    for layer, width in enumerate(hidden):
        shapes |= weights(f"{name}.layer{layer}", widths[layer], width)
    return shapes | weights(f"{name}.output", widths[-1], outputs)


def weights(name, *shape):
    """Kernel [height, width, in, out] or weight [in, out], and bias [out]."""
    return {f"{name}.weight": list(shape), f"{name}.bias": [shape[-1]]}


def transposed_weights(name, *shape):
    """Kernel [height, width, out, in], and bias [out]."""
    return {f"{name}.weight": list(shape), f"{name}.bias": [shape[-2]]}


def norm(name, channels):
    values = ("gamma", "beta", "running_mean", "running_var")
    return {f"{name}.{value}": [channels] for value in values} | {f"{name}.starting_share": [1]}


def power_vector(name, outputs):
    return {f"{name}.u": [outputs]}


def is_buffer(name):
    return name.rsplit(".")[-1] in (
        "running_mean", "running_var", "starting_share", "u", "code_mean", "code_square", "code_share"
    )


# ---- Initial values and data ---------------------------------------------------------------------


def draw(name, shape, generator):
    """Weights Glorot-normal; biases, γ − 1, β, log γ of spread 0.1; u normal; averages 0; inputs about ½;
    openness U(0, 5).
    """
    kind = name.rsplit(".")[-1]
    if kind in ("starting_share", "code_share"):
        return torch.ones(shape, dtype=torch.float64)
    normal = torch.randn(shape, generator=generator, dtype=torch.float64)
    if kind == "weight":
        fans = (shape[-2] + shape[-1]) * math.prod(shape[:-2])
        return normal * math.sqrt(2 / fans)
    if kind == "openness":
        return 5 * torch.rand(shape, generator=generator, dtype=torch.float64)
    if kind in ("running_mean", "running_var", "code_mean", "code_square"):
        return torch.zeros(shape, dtype=torch.float64)
    if kind == "pseudo_inputs":
        return 0.5 + 0.3 * normal
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
    for name, (distribution, shape, first) in model.draws().items():
        shape = [*model.leading(first), BATCH, *shape]
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


@dataclass
class RMSProp:
    """TensorFlow 1's: the mean square starts at 1, ε lies inside the root. θ ← θ − rate g/√(s + ε)."""

    rate: float
    decay: float = 0.9
    epsilon: float = 1e-10
    squares: dict = field(default_factory=dict)

    def update(self, values, gradients):
        moved = {}
        for name, gradient in gradients.items():
            before = self.squares.get(name, torch.ones_like(gradient))
            self.squares[name] = self.decay * before + (1 - self.decay) * gradient**2
            moved[name] = values[name] - self.rate * gradient / (self.squares[name] + self.epsilon).sqrt()
        return moved


def adam(rate, betas=(0.9, 0.999)):
    return lambda epsilon: Adam(rate, betas, epsilon)


def rms_prop(rate):
    """Its epsilon stays as it is: with a mean square that starts at 1 it blows nothing up."""
    return lambda epsilon: RMSProp(rate)


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
        first = next(draw for name, draw in model.schedule if name == phase.name)
        terms, gradients, run = evaluate(model, phase, values, model.batch(data, 0, first))
        stored = run.buffers if phase.moves_buffers else {}
        for kind, group in (("terms", terms), ("gradient", gradients), ("buffers", stored)):
            found |= {f"{kind}.{phase.name}.{name}": value for name, value in group.items()}
        margin = min(margin, run.margin)
    return found, margin


def train(model, values, data, epsilon):
    """`curve.PHASE.TERM` [steps] or [steps, repeats], `final.NAME`; smallest ReLU margin."""
    phases = {phase.name: phase for phase in model.phases}
    optimizers = {name: phase.rule(epsilon) for name, phase in phases.items()}
    curves, margin = {}, math.inf
    for step, (name, draw) in itertools.product(range(STEPS), model.schedule):
        if step not in model.stages.get(name, range(STEPS)):
            continue
        batch = model.batch(data, step, draw)
        terms, gradients, run = evaluate(model, phases[name], values, batch)
        for term, value in terms.items():
            curves.setdefault(f"curve.{name}.{term}", []).append(value)
        values = values | optimizers[name].update(values, gradients)
        values = values | (run.buffers if phases[name].moves_buffers else {})
        margin = min(margin, run.margin)
    found = {}
    for name, curve in curves.items():
        steps = len(model.stages.get(name.split(".")[1], range(STEPS)))
        found[name] = torch.stack(curve).view(steps, -1).squeeze(1)
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
    """Worst deviation among the named tensors, and whose it is; 0 if there are none."""
    return max(((deviation(found[name], expected[name]), name) for name in names), default=(0.0, ""))


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
    if drifting:
        report["final, vanishing gradient or running_mean"] = deviations(found, expected, drifting)
    for name in vanishing:
        report[f"{name}, absolute"] = (found[name].abs().max().item(), name)
    return report


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


def metadata(model, vanishing, steady, margin):
    phases = {phase.name: phase for phase in model.phases}
    entries = {
        "torch": torch.__version__,
        "precision": "computed in float64, stored as float32",
        "layout": "NHWC; convolution HWIO, transposed convolution HWOI, linear IO",
        "model": model.model,
        "images": [model.side, model.side, model.channels],
        "configuration": model.configuration,
        "noise": model.purposes,
        "schedule": model.schedule,
        "stages": {name: [steps.start, steps.stop] for name, steps in model.stages.items()},
        "updates": {name: phase.groups for name, phase in phases.items()},
        "adam epsilon": {"curve, final": EPSILON, "damped": DAMPED},
        "vanishing gradients": vanishing,
        "steady curves": steady,
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
    assert margin > model.kink_margin, f"{model.name}: ReLU input of {margin}, choose another seed"
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
    steady = [name for name, (worst, _) in report.items() if name.startswith("curve.") and worst < STEADY]
    content = safetensors(tensors, metadata(model, vanishing, steady, margin))
    assert all(torch.equal(value, tensors[name]) for name, value in load(content).items())
    path = folder / f"{model.name}.safetensors"
    path.write_bytes(content)
    print(
        f"{path.name}: {len(tensors)} tensors, {len(content)} bytes, least ReLU input {margin:.1e}"
    )
    for kind, (worst, name) in report.items():
        print(f"  float32 {kind}: {worst:.1e}" + ("" if name == kind else f" ({name})"))


def check_gradient(model, phase_name):
    """The phase's gradients, second-order terms included, against central differences."""
    phase = next(phase for phase in model.phases if phase.name == phase_name)
    first = next(draw for name, draw in model.schedule if name == phase_name)
    batch = model.batch(data(model), 0, first)
    error = finite_difference_error(model, phase, initial_values(model), batch)
    assert error < 1e-6, f"{phase_name} gradient is {error} away from central differences"
    print(f"  {phase_name} gradient against central differences in float64: {error:.2e}")


def main(*models):
    """Writes the models' files."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for model in models:
        write(model, Path(__file__).parent)
