"""The networks of lathe that golden models run on, narrow: layers by lathe's names, activations NHWC."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from golden import norm, power_vector, transposed_weights, weights


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
