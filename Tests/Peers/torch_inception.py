"""Inception features in PyTorch, on several processes: what `lathe bench features` is compared with.

    pip install "torch==2.13.0+cpu" safetensors numpy
    python3 torch_inception.py --weights inception.safetensors --dims 768 --ranks 2 --threads 1 --batch 32 --steps 5

The network is that of FID (Inception-v3 of 2015-12-05), written down here once more; weights are those of
launch/convert-inception, batch normalisation folded in, or random ones. Images are random and in memory; the resize to
299 x 299 is timed too. Modes: --layout channels_last, --compile, --unfolded (batch normalisation on its own, as
pytorch-fid runs it).
"""

import argparse
import os
import resource
import statistics
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F

DIMS = {64: 0, 192: 1, 768: 2, 2048: 3}


class Unit(nn.Module):
    """Convolution, bias, ReLU; with a batch normalisation of its own if `unfolded`."""

    unfolded = False

    def __init__(self, inputs, outputs, kernel, stride=1, padded=True):
        super().__init__()
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = tuple(side // 2 for side in kernel) if padded else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=not Unit.unfolded)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3) if Unit.unfolded else nn.Identity()

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)), inplace=True)


def average(x):
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


class A(nn.Module):
    def __init__(self, inputs, pool):
        super().__init__()
        self.branch1x1 = Unit(inputs, 64, 1)
        self.branch5x5_1, self.branch5x5_2 = Unit(inputs, 48, 1), Unit(48, 64, 5)
        self.branch3x3dbl_1, self.branch3x3dbl_2, self.branch3x3dbl_3 = Unit(inputs, 64, 1), Unit(64, 96, 3), Unit(96, 96, 3)
        self.branch_pool = Unit(inputs, pool, 1)

    def forward(self, x):
        return torch.cat([self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)),
                          self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
                          self.branch_pool(average(x))], 1)


class B(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.branch3x3 = Unit(inputs, 384, 3, 2, False)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Unit(inputs, 64, 1), Unit(64, 96, 3)
        self.branch3x3dbl_3 = Unit(96, 96, 3, 2, False)

    def forward(self, x):
        return torch.cat([self.branch3x3(x), self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
                          F.max_pool2d(x, 3, 2)], 1)


class C(nn.Module):
    def __init__(self, inputs, c):
        super().__init__()
        self.branch1x1 = Unit(inputs, 192, 1)
        self.branch7x7_1, self.branch7x7_2, self.branch7x7_3 = Unit(inputs, c, 1), Unit(c, c, (1, 7)), Unit(c, 192, (7, 1))
        self.branch7x7dbl_1, self.branch7x7dbl_2 = Unit(inputs, c, 1), Unit(c, c, (7, 1))
        self.branch7x7dbl_3, self.branch7x7dbl_4 = Unit(c, c, (1, 7)), Unit(c, c, (7, 1))
        self.branch7x7dbl_5 = Unit(c, 192, (1, 7))
        self.branch_pool = Unit(inputs, 192, 1)

    def forward(self, x):
        double = self.branch7x7dbl_1(x)
        for layer in (self.branch7x7dbl_2, self.branch7x7dbl_3, self.branch7x7dbl_4, self.branch7x7dbl_5):
            double = layer(double)
        return torch.cat([self.branch1x1(x), self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x))), double,
                          self.branch_pool(average(x))], 1)


class D(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = Unit(inputs, 192, 1), Unit(192, 320, 3, 2, False)
        self.branch7x7x3_1, self.branch7x7x3_2 = Unit(inputs, 192, 1), Unit(192, 192, (1, 7))
        self.branch7x7x3_3, self.branch7x7x3_4 = Unit(192, 192, (7, 1)), Unit(192, 192, 3, 2, False)

    def forward(self, x):
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)),
                          self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))),
                          F.max_pool2d(x, 3, 2)], 1)


class E(nn.Module):
    def __init__(self, inputs, pool):
        super().__init__()
        self.pool = pool
        self.branch1x1 = Unit(inputs, 320, 1)
        self.branch3x3_1 = Unit(inputs, 384, 1)
        self.branch3x3_2a, self.branch3x3_2b = Unit(384, 384, (1, 3)), Unit(384, 384, (3, 1))
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Unit(inputs, 448, 1), Unit(448, 384, 3)
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = Unit(384, 384, (1, 3)), Unit(384, 384, (3, 1))
        self.branch_pool = Unit(inputs, 192, 1)

    def forward(self, x):
        one, two = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return torch.cat([self.branch1x1(x), self.branch3x3_2a(one), self.branch3x3_2b(one), self.branch3x3dbl_3a(two),
                          self.branch3x3dbl_3b(two), self.branch_pool(self.pool(x))], 1)


def greatest(x):
    return F.max_pool2d(x, 3, 1, 1)


class Inception(nn.Module):
    """Features of `dims` dimensions: a block's output, averaged over its places."""

    def __init__(self, dims=2048):
        super().__init__()
        self.last = DIMS[dims]
        self.Conv2d_1a_3x3, self.Conv2d_2a_3x3 = Unit(3, 32, 3, 2, False), Unit(32, 32, 3, 1, False)
        self.Conv2d_2b_3x3 = Unit(32, 64, 3)
        self.blocks = [["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "pool"]]
        if self.last >= 1:
            self.Conv2d_3b_1x1, self.Conv2d_4a_3x3 = Unit(64, 80, 1), Unit(80, 192, 3, 1, False)
            self.blocks.append(["Conv2d_3b_1x1", "Conv2d_4a_3x3", "pool"])
        if self.last >= 2:
            self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = A(192, 32), A(256, 64), A(288, 64)
            self.Mixed_6a = B(288)
            self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = C(768, 128), C(768, 160), C(768, 160), C(768, 192)
            self.blocks.append([f"Mixed_{name}" for name in "5b 5c 5d 6a 6b 6c 6d 6e".split()])
        if self.last >= 3:
            self.Mixed_7a, self.Mixed_7b, self.Mixed_7c = D(768), E(1280, average), E(2048, greatest)
            self.blocks.append(["Mixed_7a", "Mixed_7b", "Mixed_7c"])
        self.pool = nn.MaxPool2d(3, 2)

    def forward(self, x, every=False):
        """`x` as the network takes it, [N, 3, 299, 299]; the features, or those of every block."""
        features = []
        for block in self.blocks:
            for name in block:
                x = getattr(self, name)(x)
            if every:
                features.append(x.mean((2, 3)))
        return features if every else x.mean((2, 3))


def resize_tensorflow(images):
    """TensorFlow 1's bilinear resize of [N, C, H, W] in [0, 1] to 299 x 299, then (255 x - 128) / 128."""
    def axis(size):
        places = torch.arange(299, dtype=torch.float32) * torch.tensor(size / 299, dtype=torch.float32)
        low = places.long().clamp(max=size - 1)
        return low, (low + 1).clamp(max=size - 1), places - low
    top, bottom, down = axis(images.shape[2])
    left, right, across = axis(images.shape[3])
    x = images * 255
    rows = x[:, :, top] + (x[:, :, bottom] - x[:, :, top]) * down[:, None]
    x = rows[..., left] + (rows[..., right] - rows[..., left]) * across
    return (x - 128) / 128


def resize_pytorch(images):
    """pytorch-fid's: half-pixel bilinear, then 2 x - 1."""
    return 2 * F.interpolate(images, size=(299, 299), mode="bilinear", align_corners=False) - 1


RESIZES = {"tensorflow": resize_tensorflow, "pytorch": resize_pytorch}


def load(path, dims):
    """The network with the weights of a safetensors file."""
    from safetensors.torch import load_file
    network = Inception(dims)
    fill(network, lambda name, shape: tensors[name], tensors := load_file(path))
    return network.eval()


def fill(network, values, _=None):
    """Sets every unit's weight and bias from values(name, shape)."""
    for name, module in network.named_modules():
        if isinstance(module, Unit):
            for part in ("weight", "bias"):
                parameter = getattr(module.conv, part)
                parameter.data.copy_(torch.as_tensor(values(f"{name}.{part}", tuple(parameter.shape))))


def mixed(x):
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def random_values(name, shape):
    """The rule of `Inception(randomWithDimensions:)`."""
    key = 0xCBF29CE484222325
    for byte in name.encode():
        key = ((key ^ byte) * 0x100000001B3) % (1 << 64)
    counters = np.arange(1, np.prod(shape) + 1, dtype=np.uint64)
    uniform = (mixed(np.uint64(key) + counters * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)) * 2.0**-53
    limit = 0.1 if len(shape) == 1 else np.sqrt(6 / np.prod(shape[1:]))
    return ((2 * uniform - 1) * limit).astype(np.float32).reshape(shape)


def worker(rank, options):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=options.port)
    torch.set_num_threads(options.threads)
    dist.init_process_group("gloo", rank=rank, world_size=options.ranks)
    Unit.unfolded = options.unfolded
    if options.weights and not options.unfolded:
        network = load(options.weights, options.dims)
    else:
        network = Inception(options.dims).eval()
    images = torch.rand(options.batch, 3, options.size, options.size)
    if options.layout == "channels_last":
        network = network.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    run = torch.compile(network) if options.compile else network
    times = []
    with torch.inference_mode():
        for step in range(options.warmup + options.steps):
            dist.barrier()
            start = time.perf_counter()
            for part in images.split(options.chunk):
                run(resize_pytorch(part))
            dist.barrier()
            times.append(time.perf_counter() - start)
    times = times[options.warmup:]
    peak = torch.tensor([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024])  # KiB on Linux
    dist.all_reduce(peak, dist.ReduceOp.MAX)
    if rank == 0:
        median = statistics.median(times)
        print(
            f"torch {torch.__version__} inception-{options.dims} ranks={options.ranks} threads={options.threads} "
            f"batch/rank={options.batch} layout={options.layout} compile={options.compile} unfolded={options.unfolded}: "
            f"{options.ranks * options.batch / median:.1f} images/s (median batch {median * 1e3:.1f} ms, "
            f"min {min(times) * 1e3:.1f}), peak RSS/rank {peak.item():.0f} MiB", flush=True)
    dist.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights")
    parser.add_argument("--dims", type=int, default=768, choices=DIMS)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--chunk", type=int, default=32, help="images in a pass")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--layout", default="contiguous", choices=["contiguous", "channels_last"])
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--unfolded", action="store_true")
    parser.add_argument("--port", default="29541")
    options = parser.parse_args()
    mp.spawn(worker, (options,), nprocs=options.ranks)


if __name__ == "__main__":
    main()
