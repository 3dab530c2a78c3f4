"""Writes features.safetensors and inception-weights.safetensors beside this file, with PyTorch.

    pip install "torch==2.13.0+cpu" safetensors numpy Pillow
    python3 features.py
    python3 features.py --weights inception.safetensors --mnist DIR --fashion DIR --cifar DIR

The first makes features.safetensors: pooling, resizing and oblong convolutions on small images, and features of the whole
network with the random weights of `Inception(randomWithDimensions:)`. The second makes inception-weights.safetensors: features
with real weights of the first two test images of three data sets.
"""

import argparse
import gzip
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.numpy import save_file

HERE = Path(__file__).parent
sys.path.append(str(HERE.parents[1] / "Peers"))
import torch_inception as peer  # noqa: E402

META = {"torch": torch.__version__, "script": "features.py"}


def rows(x):
    """NCHW to NHWC."""
    return np.ascontiguousarray(x.permute(0, 2, 3, 1).numpy())


def blend(x, axis, count):
    """One axis of a bilinear resize without half-pixel centres."""
    size = x.shape[axis]
    places = torch.arange(count) * torch.tensor(size / count)
    low = places.long().clamp(max=size - 1)
    share = (places - low).reshape([-1 if i == axis else 1 for i in range(4)])
    first, second = x.index_select(axis, low), x.index_select(axis, (low + 1).clamp(max=size - 1))
    return first + (second - first) * share


def operations():
    torch.manual_seed(1)
    x = torch.randn(2, 5, 7, 9)
    wide = torch.randn(2, 32, 9, 6)
    tensors = {
        "x": rows(x), "max_pool": rows(F.max_pool2d(x, 3, 2)), "max_pool_padded": rows(F.max_pool2d(x, 3, 1, 1)),
        "average_pool": rows(F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)),
        "half_pixel": rows(F.interpolate(x, size=(12, 13), mode="bilinear", align_corners=False)),
        "half_pixel_smaller": rows(F.interpolate(x, size=(4, 5), mode="bilinear", align_corners=False)),
        "tensorflow": rows(blend(blend(x, 2, 12), 3, 13)), "wide": rows(wide)}
    for height, width in ((1, 7), (7, 1), (1, 3), (3, 1)):
        weight = torch.randn(40, 32, height, width)
        bias = torch.randn(40)
        tensors[f"conv{height}x{width}.weight"] = np.ascontiguousarray(weight.permute(2, 3, 1, 0).numpy())
        tensors[f"conv{height}x{width}.bias"] = bias.numpy()
        result = F.relu(F.conv2d(wide, weight, bias, padding=(height // 2, width // 2)))
        tensors[f"conv{height}x{width}"] = rows(result)
    return tensors


def resize_clean(images):
    """Pillow's bicubic resize of [N, C, H, W] in [0, 1] to 299 x 299, each channel in mode F, then (x - 128) / 128."""
    def plane(values):
        return np.asarray(Image.fromarray(values * np.float32(255), mode="F").resize((299, 299), Image.BICUBIC))
    levels = np.stack([np.stack([plane(channel) for channel in image]) for image in images.numpy()])
    return (torch.from_numpy(levels.clip(0, 255)) - 128) / 128


def all_features(network, images, resize):
    with torch.inference_mode():
        return [f.numpy() for f in network(resize(images), every=True)]


def random_network():
    images = torch.from_numpy(np.random.default_rng(1).random((2, 3, 20, 24), dtype=np.float32))
    network = peer.Inception(2048).eval()
    peer.fill(network, peer.random_values)
    tensors = {"images": rows(images)}
    for name, resize in (peer.RESIZES | {"clean": resize_clean}).items():
        for features in all_features(network, images, resize):
            tensors[f"{name}.{features.shape[1]}"] = features
    return tensors


def idx_images(path, count):
    with gzip.open(path) as file:
        data = file.read(16 + count * 784)
    return np.frombuffer(data, np.uint8, offset=16).reshape(count, 1, 28, 28).repeat(3, 1)


def cifar_images(path, count):
    records = np.frombuffer(path.read_bytes()[: count * 3073], np.uint8).reshape(count, 3073)
    return records[:, 1:].reshape(count, 3, 32, 32)


def real_network(options):
    network = peer.load(options.weights, 768)
    sets = {"mnist": idx_images(options.mnist / "t10k-images-idx3-ubyte.gz", 2),
            "fashion-mnist": idx_images(options.fashion / "t10k-images-idx3-ubyte.gz", 2),
            "cifar10": cifar_images(options.cifar / "test_batch.bin", 2)}
    tensors = {}
    for name, images in sets.items():
        x = torch.from_numpy(images.astype(np.float32) / 255)
        for kind, resize in peer.RESIZES.items():
            for features in all_features(network, x, resize):
                tensors[f"{name}.{kind}.{features.shape[1]}"] = features
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights")
    for name in ("mnist", "fashion", "cifar"):
        parser.add_argument(f"--{name}", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.weights:
        save_file(real_network(options), HERE / "inception-weights.safetensors", META)
    else:
        save_file(operations() | random_network(), HERE / "features.safetensors", META)


if __name__ == "__main__":
    main()
