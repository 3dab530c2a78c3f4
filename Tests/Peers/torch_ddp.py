"""The same training steps in PyTorch DistributedDataParallel (gloo, CPU), for launch/bench.

    pip install "torch==2.13.0+cpu" numpy
    python3 torch_ddp.py --workload ae-a1-cifar --ranks 2 --threads 1 --batch 64 --steps 20

A whole step is timed: forward, backward, gradient all-reduce, Adam, on random images in memory. Workloads are those of
`lathe bench step`: networks A1 and A2, and a step of FlexAE (one auto-encoder update, five critic updates with gradient
penalty, one generator and one encoder update; images count once a step). PyTorch's other modes are
--layout channels_last, --compile and --bf16; the best of them is the one to be compared with.
"""

import argparse
import os
import resource
import statistics
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

DATA = {"mnist": (1, 28, 32), "cifar": (3, 32, 128), "celeba": (3, 64, 128)}  # channels, side, latent size


class SameConv(nn.Module):
    """TensorFlow's SAME convolution: with an even kernel the odd zero is at the bottom and right."""

    def __init__(self, inputs, outputs, kernel, stride):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride)
        zeros = max(kernel - stride, 0)
        self.padding = (zeros // 2, zeros - zeros // 2) * 2

    def forward(self, x):
        return self.conv(F.pad(x, self.padding))


class SameConvTranspose(nn.Module):
    """The adjoint of SameConv."""

    def __init__(self, inputs, outputs, kernel, stride):
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, outputs, kernel, stride)
        self.stride, self.before = stride, max(kernel - stride, 0) // 2

    def forward(self, x):
        height, width = (self.stride * side for side in x.shape[2:])
        rows, columns = slice(self.before, self.before + height), slice(self.before, self.before + width)
        return self.conv(x)[:, :, rows, columns]


def networks_a1(channels, side, m):
    quarter = side // 4
    flat = quarter * quarter * 128
    encoder = nn.Sequential(
        nn.Conv2d(channels, 64, 4, 2, 1), nn.ReLU(),
        nn.Conv2d(64, 128, 4, 2, 1), nn.BatchNorm2d(128), nn.ReLU(), nn.Flatten(),
        nn.Linear(flat, 1024), nn.BatchNorm1d(1024), nn.ReLU(), nn.Linear(1024, m))
    decoder = nn.Sequential(
        nn.Linear(m, 1024), nn.BatchNorm1d(1024), nn.ReLU(),
        nn.Linear(1024, flat), nn.BatchNorm1d(flat), nn.ReLU(), nn.Unflatten(1, (128, quarter, quarter)),
        nn.ConvTranspose2d(128, 128, 4, 2, 1), nn.BatchNorm2d(128), nn.ReLU(),
        nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
        nn.Conv2d(64, channels, 3, 1, 1), nn.Sigmoid())
    return encoder, decoder


def networks_a2(channels, side, m, filters=128):
    kernel = 5 if side == 64 else 4
    layers, inputs = [], channels
    for level in range(4):
        layers += [SameConv(inputs, filters << level, kernel, 2), nn.BatchNorm2d(filters << level), nn.ReLU()]
        inputs = filters << level
    encoder = nn.Sequential(*layers, nn.Flatten(), nn.Linear((side // 16) ** 2 * inputs, m))
    layers = [nn.Linear(m, 8 * 8 * inputs), nn.Unflatten(1, (inputs, 8, 8))]
    for width in [512, 256, 128][: 3 if side == 64 else 2]:
        layers += [SameConvTranspose(inputs, width, kernel, 2), nn.BatchNorm2d(width), nn.ReLU()]
        inputs = width
    decoder = nn.Sequential(*layers, SameConvTranspose(inputs, channels, kernel, 1), nn.Sigmoid())
    return encoder, decoder


def mlp(inputs, outputs):
    layers = [nn.Linear(inputs, 1024), nn.ReLU()]
    for _ in range(3):
        layers += [nn.Linear(1024, 1024), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(1024, outputs))


def penalty(critic, real, fake):
    mix = torch.rand(real.shape[0], 1)
    points = (fake + mix * (real - fake)).requires_grad_()
    slope, = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return ((slope.norm(dim=1) - 1) ** 2).mean()


def average_gradients(module, ranks):
    """What DDP does for one backward pass; it does not support the penalty's gradient of a gradient."""
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    dist.all_reduce(flat)
    flat /= ranks
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients])):
        gradient.copy_(part.view_as(gradient))


def make_step(options):
    """The function that makes one training step."""
    model, *networks, data = options.workload.split("-")
    channels, side, m = DATA[data]
    build = networks_a2 if networks == ["a2"] else networks_a1
    side = 32 if networks == ["a2"] and side == 28 else side
    encoder, decoder = build(channels, side, m)
    images = torch.rand(options.batch, channels, side, side)
    autoencoder = nn.Sequential(encoder, decoder)
    if options.layout == "channels_last":
        autoencoder = autoencoder.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    parallel = DistributedDataParallel(autoencoder, gradient_as_bucket_view=True)
    run = torch.compile(parallel) if options.compile else parallel
    optimizer = torch.optim.Adam(autoencoder.parameters(), 2e-4, fused=True)

    def reconstruct():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bf16):
            made = run(images)
        ((made.float() - images).square().sum() / options.batch).backward()
        optimizer.step()

    if model == "ae":
        return reconstruct

    critic, generator = mlp(m, 1), mlp(m, m)
    adam = lambda module, rate: torch.optim.Adam(module.parameters(), rate, (0.0, 0.9), fused=True)
    of_critic, of_generator, of_encoder = adam(critic, 1e-4), adam(generator, 2e-4), adam(encoder, 1e-5)

    def update(module, optimizer, loss):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bf16):
            value = loss()
        value.backward()
        average_gradients(module, options.ranks)
        optimizer.step()

    def flexae():
        reconstruct()
        for _ in range(5):
            noise = torch.randn(options.batch, m)
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=options.bf16):
                codes, made = encoder(images), generator(noise)
            codes, made = codes.float(), made.float()
            update(critic, of_critic, lambda: (
                critic(made).mean() - critic(codes).mean() + 10 * penalty(critic, codes, made)))
        for parameter in critic.parameters():
            parameter.requires_grad_(False)
        update(generator, of_generator, lambda: -critic(generator(noise)).mean())
        update(encoder, of_encoder, lambda: critic(encoder(images)).mean())
        for parameter in critic.parameters():
            parameter.requires_grad_(True)

    return flexae


def worker(rank, options):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=options.port)
    torch.set_num_threads(options.threads)
    torch.manual_seed(rank)
    dist.init_process_group("gloo", rank=rank, world_size=options.ranks)
    step = make_step(options)
    for _ in range(options.warmup):
        step()
    times = []
    for _ in range(options.steps):
        dist.barrier()
        start = time.perf_counter()
        step()
        dist.barrier()
        times.append(time.perf_counter() - start)
    peak = torch.tensor([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024])  # KiB on Linux
    dist.all_reduce(peak, dist.ReduceOp.MAX)
    if rank == 0:
        median = statistics.median(times)
        print(
            f"torch {torch.__version__} {options.workload} ranks={options.ranks} threads={options.threads} "
            f"batch/rank={options.batch} layout={options.layout} compile={options.compile} bf16={options.bf16}: "
            f"{options.ranks * options.batch / median:.1f} images/s (median step {median * 1e3:.1f} ms, "
            f"min {min(times) * 1e3:.1f}), peak RSS/rank {peak.item():.0f} MiB", flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", default="ae-a1-cifar")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--layout", default="contiguous", choices=["contiguous", "channels_last"])
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--port", default="29531")
    options = parser.parse_args()
    mp.spawn(worker, (options,), nprocs=options.ranks)
