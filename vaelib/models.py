"""Encoders and decoders: what maps x to z and back. No losses inside."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor, nn

from vaelib import _guard


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers of the given sizes with a ReLU between each two, none at the end.

    Args:
        sizes: at least two widths, from input to output. Two widths make a single linear layer.

    Raises:
        TypeError: sizes is no list or tuple of whole numbers.
        ValueError: fewer than two widths, or a width below 1.
    """
    _guard.widths(sizes=sizes)
    if len(sizes) < 2:
        raise ValueError(f"sizes must be at least two widths of 1 or more; got {list(sizes)}")
    return _mlp(sizes)


def _mlp(sizes: Sequence[int], dtype: torch.dtype | None = None, device: str | None = None) -> nn.Sequential:
    """`mlp`; what makes a network for itself says of which type and where, and leaves the defaults to the reader."""
    layers = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs, dtype=dtype, device=device), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Autoencoder(nn.Module):
    """x -> z = e(x) -> d(z): an MLP that squeezes D numbers into L and one that spreads them out again.

    Args:
        data_dim: D, the numbers in one example (784 for a 28x28 grey image).
        latent_dim: L, the numbers in a code.
        hidden_dims: widths between D and L, mirrored in the decoder; () makes a linear autoencoder with biases.

    Raises:
        TypeError, ValueError: a width is no whole number of at least 1; a code or an example has a wrong shape or type.

    Source: Bourlard & Kamp (1988). Book: chapter 1, "Two functions and a bottleneck".
    """

    def __init__(self, data_dim: int, latent_dim: int, hidden_dims: Sequence[int] = (256,)):
        super().__init__()
        _guard.counts(1, data_dim=data_dim, latent_dim=latent_dim)
        _guard.widths(hidden_dims=hidden_dims)
        self.data_dim, self.latent_dim = data_dim, latent_dim
        self.encoder = mlp([data_dim, *hidden_dims, latent_dim])
        self.decoder = mlp([latent_dim, *reversed(hidden_dims), data_dim])

    def encode(self, x: Tensor) -> Tensor:
        """Codes z (B, L) of examples x (B, D)."""
        _expect_columns("x", x, self.data_dim, self.encoder)
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """The decoder's last linear layer (B, D) at codes z (B, L): any real numbers.

        They are logits where the loss takes logits, a mean where it takes a mean. A picture is `.sigmoid()` of
        logits, written out by the caller.
        """
        _expect_columns("z", z, self.latent_dim, self.decoder)
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


class VAEModel(Protocol):
    """What objectives, metrics and the doctor ask of a model: nothing else."""

    def encode(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """mu and logvar (log of the variance) of q(z|x), (B, L) each, for examples x (B, ...)."""
        ...

    def decode(self, z: Tensor, /) -> Tensor:
        """The parameters of p(x|z) at codes z (N, L): (N, ...)."""
        ...


class VAE(nn.Module):
    """q(z|x) = N(mu, diag(exp(logvar))) and p(x|z) around a code z, with two networks of your own.

    What the decoder gives is whatever the likelihood takes, which is handed to the objective and not kept here: logits
    with `bernoulli_log_prob`, a mean with `normal_log_prob`. Under `torch.autocast` the layers compute in half
    precision, and what comes out is of the type that went in, so that densities and the KL are not rounded.

    Args:
        encoder: from examples x (B, ...) to mu and logvar side by side, (B, 2 L).
        decoder: from codes z (N, L) to the parameters of p(x|z), (N, ...).
        latent_dim: L, the numbers in a code; needed by `sample`, and to name a wrong code.
        data_dim: D where examples are rows (B, D), to name a wrong example; None where they have another shape.
        half_on_gpu: whether the layers compute in bfloat16 where a GPU has it (float16 would need its losses scaled).

    Raises:
        TypeError: encoder or decoder is no module, or a setting of another type than said.
        ValueError: from `encode` and `decode`: an example, a code or what the encoder returns has a wrong shape.

    Source: Kingma & Welling (2014), appendix C. Book: chapter 6.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        latent_dim: int | None = None,
        data_dim: int | None = None,
        half_on_gpu: bool = False,
    ):
        super().__init__()
        _guard.modules(encoder=encoder, decoder=decoder)
        sizes = {"latent_dim": latent_dim, "data_dim": data_dim}
        _guard.counts(1, **{name: size for name, size in sizes.items() if size is not None})
        _guard.flags(half_on_gpu=half_on_gpu)
        self.encoder, self.decoder = encoder, decoder
        self.latent_dim, self.data_dim, self.half_on_gpu = latent_dim, data_dim, half_on_gpu

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """mu and logvar (log of the variance) of q(z|x), (B, L) each, for examples x (B, ...)."""
        _expect_columns("x", x, self.data_dim, self.encoder)
        with _half_precision(x.device, self.half_on_gpu):
            both = self.encoder(x)
        if both.dim() < 2 or both.shape[-1] % 2 or self.latent_dim not in (None, both.shape[-1] // 2):
            half = "L" if self.latent_dim is None else self.latent_dim
            raise ValueError(f"encoder must return mu and logvar side by side, (B, 2 {half}); got {tuple(both.shape)}")
        mu, logvar = both.to(x.dtype).chunk(2, -1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """The decoder's last layer at z (..., L), one event a code: any real numbers, as in `Autoencoder.decode`."""
        _expect_columns("z", z, self.latent_dim, self.decoder)
        if z.dim() < 2:
            raise ValueError(f"z must have shape (..., L), codes first; got {tuple(z.shape)}")
        with _half_precision(z.device, self.half_on_gpu):
            params = self.decoder(z.flatten(0, -2))
        return params.to(z.dtype).unflatten(0, z.shape[:-1])

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`decode` at n draws from the prior N(0, I), (n, ...): the parameters of p(x|z), not pictures.

        Raises:
            ValueError: the model was made without `latent_dim`.
        """
        _guard.counts(0, n=n)
        if self.latent_dim is None:
            raise ValueError("sample needs latent_dim: expected VAE(encoder, decoder, latent_dim); got None")
        like = next(self.parameters(), torch.empty(0))
        _guard.noise(generator, like.device)
        shape = (n, self.latent_dim)
        return self.decode(torch.randn(shape, generator=generator, device=like.device, dtype=like.dtype))


def mlp_vae(data_dim: int, latent_dim: int, hidden_dims: Sequence[int] = (400,)) -> VAE:
    """A `VAE` of two MLPs for examples that are rows.

    Args:
        data_dim: D, the numbers in one example.
        latent_dim: L, the numbers in a code.
        hidden_dims: widths between D and L, mirrored in the decoder.

    Returns:
        A model from (B, D) to (B, L) and back.

    Raises:
        TypeError, ValueError: a width is no whole number of at least 1.

    Source: Kingma & Welling (2014), appendix C. Book: chapter 6.
    """
    _guard.counts(1, data_dim=data_dim, latent_dim=latent_dim)
    _guard.widths(hidden_dims=hidden_dims)
    encoder = mlp([data_dim, *hidden_dims, 2 * latent_dim])
    return VAE(encoder, mlp([latent_dim, *reversed(hidden_dims), data_dim]), latent_dim, data_dim)


def conv_vae(latent_dim: int, widths: Sequence[int] = (16, 32, 64, 128, 128), channels: int = 3, size: int = 64) -> VAE:
    """A `VAE` for square pictures: every layer of the encoder halves their sides, every layer of the decoder doubles.

    Examples are rows as in the whole book: x is `images.flatten(1)`, pixels in [0, 1]. What `decode` gives is the mean
    of a Gaussian as rows (..., D): colours, mostly but not necessarily in [0, 1]; best used with a Gaussian whose
    spread is learned. On a GPU that computes in bfloat16 the layers do.

    Args:
        latent_dim: L, the numbers in a code.
        widths: channels after each layer of the encoder, mirrored in the decoder; five make 64x64 to 2x2.
        channels: 3 for colour.
        size: height and width of a picture, a multiple of 2 to the number of layers.

    Raises:
        TypeError, ValueError: a number is no whole number of at least 1, there is no width, or the size cannot be
            halved that often.

    Source: Kingma & Welling (2014), with layers as in Radford et al. (2016), no normalisation. Book: chapter 7.
    """
    _guard.counts(1, latent_dim=latent_dim, channels=channels, size=size)
    _guard.widths(widths=widths)
    if not widths:
        raise ValueError(f"widths must be at least one width; got {widths}")
    small = size >> len(widths)
    if small < 1 or small << len(widths) != size:
        raise ValueError(f"size must be a multiple of 2^{len(widths)}, a half for every width; got {size}")
    square = (widths[-1], small, small)  # what is left at the narrow end
    down = [_Centred(), nn.Unflatten(1, (channels, size, size))]
    for here, there in pairwise([channels, *widths]):
        down += [nn.Conv2d(here, there, 4, stride=2, padding=1), nn.SiLU()]
    up = [nn.Linear(latent_dim, math.prod(square)), nn.SiLU(), nn.Unflatten(-1, square)]
    for here, there in pairwise([*reversed(widths), channels]):
        up += [nn.ConvTranspose2d(here, there, 4, stride=2, padding=1), nn.SiLU()]
    head = nn.Linear(math.prod(square), 2 * latent_dim)
    encoder = nn.Sequential(*down, nn.Flatten(), head)
    decoder = nn.Sequential(*up[:-1], nn.Flatten())
    model = VAE(encoder, decoder, latent_dim, channels * size**2, half_on_gpu=True)
    model.apply(_keep_variance)
    nn.init.normal_(up[-2].weight, std=0.1)
    nn.init.constant_(up[-2].bias, 0.5)  # the first pictures are grey
    nn.init.constant_(head.bias[latent_dim:], -4.0)  # the first q are narrow: noise would drown them
    return model.to(memory_format=torch.channels_last)  # the order in which convolutions are fastest


class _Centred(nn.Module):
    """Pixels about zero: else the first layer sees brightness and no hue."""

    def forward(self, x: Tensor) -> Tensor:
        return 4 * x - 2


def _keep_variance(layer: nn.Module) -> None:
    """Weights so large that a signal neither fades nor grows from layer to layer, biases of zero (He et al., 2015)."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        transposed = isinstance(layer, nn.ConvTranspose2d)  # a stride of 2 leaves each pixel a quarter of the window
        inputs = layer.weight[:, 0].numel() / 4 if transposed else layer.weight[0].numel()
        nn.init.normal_(layer.weight, std=(1 if isinstance(layer, nn.Linear) else 2) ** 0.5 * inputs**-0.5)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _half_precision(device: torch.device, wanted: bool) -> AbstractContextManager:
    if wanted and device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()


def _expect_columns(name: str, value: Tensor, columns: int | None, network: nn.Module) -> None:
    """Rows of floats (..., columns), of the type and on the device of the network's parameters (autocast converts)."""
    _guard.floats(**{name: (value, "(...)")})
    own = next(network.parameters(), value)
    if own.dtype != value.dtype and not torch.is_autocast_enabled(value.device.type):
        raise TypeError(f"{name} must have the dtype of the model, {own.dtype}; got {value.dtype}")
    if own.device.type != value.device.type:
        raise ValueError(f"{name} must be on the device of the model, {own.device}; got {value.device}")
    if columns is None:
        return
    if value.dim() < 2 or value.shape[-1] != columns:
        hint = "; flatten images with x.flatten(1)" if value.dim() > 2 else ""
        raise ValueError(f"{name} must have shape (B, {columns}); got {tuple(value.shape)}{hint}")
