"""Golden values of what a run adds to its updates, computed by PyTorch: writes updates.safetensors beside this file.

ReduceLROnPlateau, LinearLR with CosineAnnealingLR, LinearLR and MultiStepLR after it, AdamW, and Adam's first
moment, bias-corrected, as a moving average of values that start anywhere (Kingma and Ba, 2015, Section 3).
Run with: python3 updates.py (torch and safetensors installed).
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.optim import lr_scheduler

torch.set_default_dtype(torch.float64)
tensors = {}


def optimizer(rate):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def plateau(name, scores, **settings):
    """The rates after each score, from a rate of 1."""
    of_one = optimizer(1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(of_one, **settings)
    rates = []
    for score in scores:
        scheduler.step(score)
        rates.append(of_one.param_groups[0]["lr"])
    tensors[f"plateau/{name}/scores"] = torch.tensor(scores)
    tensors[f"plateau/{name}/rates"] = torch.tensor(rates)


def falling():
    """Sixty scores that fall in fits and starts, then by less and less."""
    noise = torch.rand(60, generator=torch.Generator().manual_seed(1)).tolist()
    return [1 / (1 + step // 3) + 0.02 * noise[step] / (1 + step) for step in range(60)]


plateau("defaults", falling() + [0.05] * 40)
plateau("absolute", falling(), factor=0.5, patience=4, threshold=0.01, threshold_mode="abs")
plateau("impatient", falling(), factor=0.25, patience=0, threshold=0.1, min_lr=0.01)
plateau("higher", [1 - score for score in falling()], mode="max", factor=0.5, patience=2, threshold=0.03)
plateau("nan", [0.5, float("nan"), 0.4, float("nan"), float("nan"), float("nan"), 0.1], factor=0.5, patience=1)

WARM_UP, STEPS = 5, 25


def schedule(name, later):
    """Rates of thirty steps, from a rate of 1: a warm-up of five steps, then `later` over twenty."""
    of_one = optimizer(1.0)
    warm_up = lr_scheduler.LinearLR(of_one, 1 / WARM_UP, 1, WARM_UP - 1)
    scheduler = lr_scheduler.SequentialLR(of_one, [warm_up, later(of_one)], [WARM_UP])
    rates = []
    for step in range(STEPS):
        rates.append(of_one.param_groups[0]["lr"])
        of_one.step()
        scheduler.step()
    tensors[f"schedule/{name}"] = torch.tensor(rates)


span = STEPS - WARM_UP
schedule("constant", lambda of: lr_scheduler.LambdaLR(of, lambda step: 1))
schedule("cosine", lambda of: lr_scheduler.CosineAnnealingLR(of, span))
schedule("linear", lambda of: lr_scheduler.LinearLR(of, 1, 0, span))
schedule("step", lambda of: lr_scheduler.MultiStepLR(of, [span // 2, span * 3 // 4], 0.1))

generator = torch.Generator().manual_seed(2)
values = torch.randn(5, generator=generator)
gradients = torch.randn(30, 5, generator=generator) * torch.logspace(-3, 2, 5)
parameter = torch.nn.Parameter(values.clone())
adamw = torch.optim.AdamW([parameter], lr=0.01, betas=(0.9, 0.99), eps=1e-12, weight_decay=0.3)
cosine = lr_scheduler.CosineAnnealingLR(adamw, 30)
updated = []
for gradient in gradients:
    parameter.grad = gradient.clone()
    adamw.step()
    cosine.step()
    updated.append(parameter.detach().clone())
tensors["adamw/values"], tensors["adamw/gradients"] = values, gradients
tensors["adamw/updated"] = torch.stack(updated)

averaged = torch.nn.Parameter(torch.zeros(5))
adam = torch.optim.Adam([averaged], lr=1, betas=(0.8, 0.9))
averages = []
for count, value in enumerate(updated, 1):
    averaged.grad = value.clone()
    adam.step()
    averages.append(adam.state[averaged]["exp_avg"] / (1 - 0.8**count))
tensors["ema/averages"] = torch.stack(averages)

save_file(
    {name: tensor.to(torch.float32).contiguous() for name, tensor in tensors.items()},
    Path(__file__).with_suffix(".safetensors"),
    {"made by": "updates.py", "torch": torch.__version__},
)
