"""Golden values of padded and cropped images, computed by NumPy: writes pad_crop.safetensors beside this file.

An image is padded by numpy.pad and cut out at offsets that are drawn as Sources/LatheData/Loading/CounterRandom.swift
says, with SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) written again here. Run with: python3 pad_crop.py
"""

from pathlib import Path

import numpy
from safetensors.numpy import save_file

MASK = 2**64 - 1
SEED, PADDING, COUNT = 5, 2, 40


def finalized(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def bits(key, draw):
    return finalized(key + (draw + 1) * 0x9E3779B97F4A7C15 & MASK)


def stream(key, number):
    return finalized(bits(key, number) ^ 0x6C61746865206473)


image = numpy.random.default_rng(3).integers(0, 256, (4, 5, 3), numpy.uint8)
key = stream(SEED, 3)
offsets = [
    tuple(bits(key, 2 * position + axis) * (2 * PADDING + 1) >> 64 for axis in (0, 1))
    for position in range(COUNT)
]


def crops(mode):
    padded = numpy.pad(image, ((PADDING, PADDING), (PADDING, PADDING), (0, 0)), mode)
    return numpy.stack([padded[row : row + 4, column : column + 5] for row, column in offsets])


save_file(
    {
        "image": image.astype(numpy.float32),
        "zero": crops("constant").astype(numpy.float32) / numpy.float32(255),
        "reflect": crops("reflect").astype(numpy.float32) / numpy.float32(255),
    },
    Path(__file__).with_suffix(".safetensors"),
    {"made by": "pad_crop.py", "numpy": numpy.__version__},
)
