"""The networks of lathe that golden models run on, narrow: layers by lathe's names, activations NHWC."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from golden import norm, perceptron_shapes, power_vector, transposed_weights, weights


@dataclass
class A1:
    """FlexAE's networks. Mondal et al., UAI 2021. Batch norm keeps 0.99, epsilon 1e-3."""

    side: int = 8
    channels: int = 1
    filters: int = 4
    hidden: int = 16

    def flat(self):
        return 2 * self.filters * (self.side // 4) ** 2

    def encoder_shapes(self, outputs, name="encoder"):
        f, h = self.filters, self.hidden
        return {
            **weights(f"{name}.conv0", 4, 4, self.channels, f),
            **weights(f"{name}.conv1", 4, 4, f, 2 * f),
            **norm(f"{name}.norm0", 2 * f),
            **weights(f"{name}.hidden", self.flat(), h),
            **norm(f"{name}.norm1", h),
            **weights(f"{name}.codes", h, outputs),
        }

    def decoder_shapes(self, latent, name="decoder"):
        f, h = self.filters, self.hidden
        return {
            **weights(f"{name}.hidden0", latent, h),
            **norm(f"{name}.norm0", h),
            **weights(f"{name}.hidden1", h, self.flat()),
            **norm(f"{name}.norm1", self.flat()),
            **transposed_weights(f"{name}.conv0", 4, 4, 2 * f, 2 * f),
            **norm(f"{name}.norm2", 2 * f),
            **transposed_weights(f"{name}.conv1", 4, 4, f, 2 * f),
            **norm(f"{name}.norm3", f),
            **weights(f"{name}.conv2", 3, 3, f, self.channels),
        }

    def encode(self, run, x, name="encoder"):
        h = run.relu(run.convolution(f"{name}.conv0", x))
        h = run.convolution(f"{name}.conv1", h)
        h = run.relu(run.batch_norm(f"{name}.norm0", h)).flatten(1)
        h = run.relu(run.batch_norm(f"{name}.norm1", run.linear(f"{name}.hidden", h)))
        return run.linear(f"{name}.codes", h)

    def posterior(self, run, x, name="encoder"):
        """Mean and standard deviation of q(z|x): log-variance held within [-6, 2]."""
        mean, raw = self.encode(run, x, name).chunk(2, dim=1)
        return mean, (0.5 * raw.clamp(-6, 2)).exp()

    def decode(self, run, z, name="decoder"):
        h = run.relu(run.batch_norm(f"{name}.norm0", run.linear(f"{name}.hidden0", z)))
        h = run.relu(run.batch_norm(f"{name}.norm1", run.linear(f"{name}.hidden1", h)))
        h = h.reshape(len(z), self.side // 4, self.side // 4, 2 * self.filters)
        h = run.transposed_convolution(f"{name}.conv0", h)
        h = run.relu(run.batch_norm(f"{name}.norm2", h))
        h = run.transposed_convolution(f"{name}.conv1", h)
        h = run.relu(run.batch_norm(f"{name}.norm3", h))
        return torch.sigmoid(run.convolution(f"{name}.conv2", h, stride=1))

    def image_critic_shapes(self, name="image_critic"):
        f, h = self.filters, self.hidden
        return {
            **weights(f"{name}.conv0", 4, 4, self.channels, f),
            **weights(f"{name}.conv1", 4, 4, f, 2 * f),
            **weights(f"{name}.hidden", self.flat(), h),
            **weights(f"{name}.output", h, 1),
        }

    def judge(self, run, x, name="image_critic"):
        """Scores of images, [N, 1]."""
        h = run.relu(run.convolution(f"{name}.conv0", x))
        h = run.relu(run.convolution(f"{name}.conv1", h)).flatten(1)
        return run.linear(f"{name}.output", run.relu(run.linear(f"{name}.hidden", h)))


@dataclass
class A4:
    """The InfoGAN-like networks of Dai & Wipf, ICLR 2019. Batch norm keeps 0.999, epsilon 1e-5."""

    side: int = 8
    channels: int = 1
    filters: int = 4
    hidden: int = 16

    def encoder_shapes(self, outputs, name="encoder"):
        f, h = self.filters, self.hidden
        flat = 2 * f * (self.side // 4) ** 2
        return {
            **weights(f"{name}.conv0", 4, 4, self.channels, f),
            **power_vector(f"{name}.conv0", f),
            **weights(f"{name}.conv1", 4, 4, f, 2 * f),
            **power_vector(f"{name}.conv1", 2 * f),
            **norm(f"{name}.norm1", 2 * f),
            **weights(f"{name}.hidden", flat, h),
            **power_vector(f"{name}.hidden", h),
            **norm(f"{name}.norm2", h),
            **weights(f"{name}.codes", h, outputs),
            **power_vector(f"{name}.codes", outputs),
        }

    def decoder_shapes(self, latent, name="decoder"):
        f, h = self.filters, self.hidden
        flat = 2 * f * (self.side // 4) ** 2
        return {
            **weights(f"{name}.hidden0", latent, h),
            **norm(f"{name}.norm0", h),
            **weights(f"{name}.hidden1", h, flat),
            **norm(f"{name}.norm1", flat),
            **transposed_weights(f"{name}.conv0", 4, 4, f, 2 * f),
            **norm(f"{name}.norm2", f),
            **transposed_weights(f"{name}.conv1", 4, 4, self.channels, f),
        }

    def posterior(self, run, x, name="encoder"):
        """Mean and standard deviation of q(z|x), each [N, latent]."""
        h = run.relu(run.convolution(f"{name}.conv0", x, spectral=True), 0.2)
        h = run.convolution(f"{name}.conv1", h, spectral=True)
        h = run.relu(run.batch_norm(f"{name}.norm1", h), 0.2).flatten(1)
        h = run.linear(f"{name}.hidden", h, spectral=True)
        h = run.relu(run.batch_norm(f"{name}.norm2", h), 0.2)
        mean, raw = run.linear(f"{name}.codes", h, spectral=True).chunk(2, dim=1)
        return mean, 1e-6 + F.softplus(raw)

    def decode(self, run, z, name="decoder"):
        h = run.relu(run.batch_norm(f"{name}.norm0", run.linear(f"{name}.hidden0", z)))
        h = run.relu(run.batch_norm(f"{name}.norm1", run.linear(f"{name}.hidden1", h)))
        h = h.reshape(len(z), self.side // 4, self.side // 4, 2 * self.filters)
        h = run.transposed_convolution(f"{name}.conv0", h)
        h = run.relu(run.batch_norm(f"{name}.norm2", h))
        return torch.sigmoid(run.transposed_convolution(f"{name}.conv1", h))


@dataclass
class A2:
    """RAE's networks. Ghosh et al., ICLR 2020. Kernel 4; images below 64 x 64 are shifted to [-1, 1]."""

    side: int = 8
    channels: int = 1
    filters: int = 2
    hidden: int = 0

    def widths(self):
        return [self.filters << i for i in range(4)]

    def encoder_shapes(self, outputs, name="encoder", spectral=False):
        widths, shapes, side = self.widths(), {}, self.side
        for i, width in enumerate(widths):
            shapes |= weights(f"{name}.conv{i}", 4, 4, widths[i - 1] if i else self.channels, width)
            shapes |= norm(f"{name}.norm{i}", width)
            side = -(-side // 2)
        shapes |= weights(f"{name}.codes", side * side * widths[3], outputs)
        if spectral:
            for layer in ("conv0", "conv1", "conv2", "conv3", "codes"):
                shapes |= power_vector(f"{name}.{layer}", shapes[f"{name}.{layer}.weight"][-1])
        return shapes

    def decoder_shapes(self, latent, name="decoder", spectral=False):
        f, side = 8 * self.filters, self.side // 4
        shapes = {
            **weights(f"{name}.hidden", latent, side * side * f),
            **transposed_weights(f"{name}.conv0", 4, 4, f // 2, f),
            **norm(f"{name}.norm0", f // 2),
            **transposed_weights(f"{name}.conv1", 4, 4, f // 4, f // 2),
            **norm(f"{name}.norm1", f // 4),
            **transposed_weights(f"{name}.conv2", 4, 4, self.channels, f // 4),
        }
        if spectral:
            for layer in ("hidden", "conv0", "conv1", "conv2"):
                shapes |= power_vector(f"{name}.{layer}", shapes[f"{name}.{layer}.weight"][-1])
        return shapes

    def encode(self, run, x, name="encoder", spectral=False):
        h = 2 * x - 1
        for i in range(4):
            h = same_convolution(run, f"{name}.conv{i}", h, 2, spectral)
            h = run.relu(run.batch_norm(f"{name}.norm{i}", h))
        return run.linear(f"{name}.codes", h.flatten(1), spectral)

    def decode(self, run, z, name="decoder", spectral=False):
        h = run.linear(f"{name}.hidden", z, spectral)
        h = h.reshape(len(z), self.side // 4, self.side // 4, 8 * self.filters)
        for i in range(2):
            h = same_transposed_convolution(run, f"{name}.conv{i}", h, 2, spectral)
            h = run.relu(run.batch_norm(f"{name}.norm{i}", h))
        return torch.sigmoid(same_transposed_convolution(run, f"{name}.conv2", h, 1, spectral))


def same_convolution(run, name, x, stride, spectral=False):
    """TensorFlow's SAME convolution: of the padding, the smaller half before."""
    kernel = run.weight(name, spectral)
    size, side = kernel.shape[0], x.shape[1]
    total = max((-(-side // stride) - 1) * stride + size - side, 0)
    before, after = total // 2, total - total // 2
    x = F.pad(x.permute(0, 3, 1, 2), (before, after, before, after))
    y = F.conv2d(x, kernel.permute(3, 2, 0, 1).contiguous(), run.values[f"{name}.bias"], stride)
    return y.permute(0, 2, 3, 1)


def same_transposed_convolution(run, name, x, stride, spectral=False):
    """The adjoint of a SAME convolution, kernel [height, width, out, in]."""
    kernel = run.weight(name, spectral)
    size, side = kernel.shape[0], stride * x.shape[1]
    before = (size - stride) // 2
    y = F.conv_transpose2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1).contiguous(), stride=stride)
    y = y[:, :, before : before + side, before : before + side].permute(0, 2, 3, 1)
    return y + run.values[f"{name}.bias"]


@dataclass
class A3:
    """The networks of Tolstikhin et al., ICLR 2018, for sides that are multiples of 16. Batch norm keeps 0.9, epsilon 1e-5."""

    side: int = 16
    channels: int = 1
    filters: int = 2

    def encoder_shapes(self, outputs, name="encoder"):
        widths = [self.channels] + [self.filters << i for i in range(4)]
        shapes = {}
        for i in range(4):
            shapes |= weights(f"{name}.conv{i}", 4, 4, widths[i], widths[i + 1])
            shapes |= norm(f"{name}.norm{i}", widths[i + 1])
        return shapes | weights(f"{name}.codes", widths[4] * (self.side // 16) ** 2, outputs)

    def decoder_shapes(self, latent, name="decoder"):
        f, start = self.filters, (self.side // 4) ** 2
        return {
            **weights(f"{name}.hidden", latent, 8 * f * start),
            **transposed_weights(f"{name}.conv0", 4, 4, 4 * f, 8 * f),
            **norm(f"{name}.norm0", 4 * f),
            **transposed_weights(f"{name}.conv1", 4, 4, 2 * f, 4 * f),
            **norm(f"{name}.norm1", 2 * f),
            **transposed_weights(f"{name}.conv2", 4, 4, self.channels, 2 * f),
        }

    def encode(self, run, x, name="encoder"):
        for i in range(4):
            x = run.relu(run.batch_norm(f"{name}.norm{i}", run.convolution(f"{name}.conv{i}", x)))
        return run.linear(f"{name}.codes", x.flatten(1))

    def decode(self, run, z, name="decoder"):
        h = run.relu(run.linear(f"{name}.hidden", z))
        h = h.reshape(len(z), self.side // 4, self.side // 4, 8 * self.filters)
        for i in range(2):
            h = run.transposed_convolution(f"{name}.conv{i}", h)
            h = run.relu(run.batch_norm(f"{name}.norm{i}", h))
        return torch.sigmoid(run.transposed_convolution(f"{name}.conv2", h, stride=1))


@dataclass
class A5:
    """The fully connected networks of Mondal et al., UAI 2020."""

    side: int = 8
    channels: int = 1
    hidden: int = 16

    def encoder_shapes(self, outputs, name="encoder"):
        return perceptron_shapes(name, self.channels * self.side**2, [self.hidden] * 4, outputs)

    def decoder_shapes(self, latent, name="decoder"):
        return perceptron_shapes(name, latent, [self.hidden] * 4, self.channels * self.side**2)

    def encode(self, run, x, name="encoder"):
        return run.perceptron(name, x.flatten(1))

    def decode(self, run, z, name="decoder"):
        y = torch.sigmoid(run.perceptron(name, z))
        return y.reshape(len(z), self.side, self.side, self.channels)
