"""The image towers: a Vision Transformer, and a residual network that small data can train."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.conaclip.config import ConvConfig, Normalisation, VitConfig
from models.conaclip.transformer import Transformer


def split_patches(pixels: Tensor, patch: int) -> Tensor:
    """[batch, height, width, 3] -> [batch, height / patch, width / patch, patch * patch * 3]."""
    batch, height, width, channels = pixels.shape
    rows, columns = height // patch, width // patch
    x = pixels.view(batch, rows, patch, columns, patch, channels)
    return x.transpose(2, 3).reshape(batch, rows, columns, patch * patch * channels)


class PatchEmbedding(nn.Module):
    """Squares of pixels, normalised and multiplied by a matrix.

    As a product over patches and not a convolution, so that an 8-bit graph reads the bytes as they
    are.
    """

    def __init__(self, patch: int, width: int, normalisation: Normalisation, bias: bool) -> None:
        super().__init__()
        self.patch = patch
        self.linear = nn.Linear(patch * patch * 3, width, bias=bias)
        self.register_buffer("mean", torch.tensor(normalisation.mean).repeat(patch * patch), persistent=False)
        self.register_buffer("std", torch.tensor(normalisation.std).repeat(patch * patch), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """uint8 [batch, height, width, 3] -> float [batch, height / patch, width / patch, width]."""
        return self.linear((split_patches(pixels, self.patch).float() - self.mean) / self.std)

    def folded(self) -> nn.Linear:
        """The same function of the bytes as they are: mean and deviation inside the matrix."""
        linear = nn.Linear(self.linear.in_features, self.linear.out_features)
        with torch.no_grad():
            linear.weight.copy_(self.linear.weight / self.std)
            linear.bias.copy_(-linear.weight @ self.mean)
            if self.linear.bias is not None:
                linear.bias += self.linear.bias
        return linear


class VisionTransformer(nn.Module):
    """ViT, read out at its class token; CLIP's and the paper's students differ in `VitConfig`."""

    def __init__(self, config: VitConfig, dimension: int) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.patches = PatchEmbedding(config.patch, width, config.normalisation, bias=not config.stem_norm)
        self.class_token = nn.Parameter(torch.empty(width))
        self.positions = nn.Parameter(torch.empty((config.size // config.patch) ** 2 + 1, width))
        self.stem_norm = nn.LayerNorm(width) if config.stem_norm else nn.Identity()
        self.transformer = Transformer(config.layers, width, config.heads, config.activation)
        self.norm = nn.LayerNorm(width)
        self.projection = nn.Linear(width, dimension, bias=False)
        for parameter in (self.class_token, self.positions, self.projection.weight):
            nn.init.normal_(parameter, std=width**-0.5)

    def forward(self, pixels: Tensor) -> Tensor:
        """uint8 [batch, size, size, 3] -> float32 [batch, dimension], not normalised."""
        x = self.patches(pixels).flatten(1, 2)
        first = self.class_token.to(x.dtype).expand(x.shape[0], 1, -1)
        x = self.stem_norm(torch.cat([first, x], 1) + self.positions)
        return self.projection(self.norm(self.transformer(x)[:, 0]))


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut; the first one halves height and width if asked to."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(width_in, width, 3, stride)
        self.second = _convolution(width, width, 3, 1)
        nn.init.zeros_(self.second[1].weight)  # a block begins as its shortcut
        straight = stride == 1 and width_in == width
        self.shortcut = nn.Identity() if straight else _convolution(width_in, width, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.second(functional.relu(self.first(x)))
        return functional.relu(inner + self.shortcut(x))


class ConvNet(nn.Module):
    """Patches, residual blocks, the mean over all places.

    Dense convolutions and no depthwise ones: on a CPU's bfloat16 and 8-bit instructions they are
    faster at equal quality, and they train well on a few thousand images.
    """

    def __init__(self, config: ConvConfig, dimension: int) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.patches = PatchEmbedding(config.patch, widths[0], config.normalisation, bias=False)
        self.patch_norm = nn.BatchNorm2d(widths[0])
        blocks: list[nn.Module] = []
        for stage, (width, depth) in enumerate(zip(widths, config.depths, strict=True)):
            for number in range(depth):
                width_in = widths[max(0, stage - 1)] if number == 0 else width
                blocks.append(Residual(width_in, width, 2 if stage and number == 0 else 1))
        self.blocks = nn.Sequential(*blocks)
        self.projection = nn.Linear(widths[-1], dimension, bias=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """uint8 [batch, height, width, 3] -> float32 [batch, dimension], not normalised.

        Height and width are multiples of patch * 2 ** (stages - 1).
        """
        x = self.patches(pixels).permute(0, 3, 1, 2)
        x = self.blocks(functional.relu(self.patch_norm(x)))
        return self.projection(x.mean((2, 3)))


ImageEncoder = VisionTransformer | ConvNet


def build_image_encoder(config: VitConfig | ConvConfig, dimension: int) -> ImageEncoder:
    """An image tower with fresh weights."""
    if isinstance(config, ConvConfig):
        return ConvNet(config, dimension).to(memory_format=torch.channels_last)
    return VisionTransformer(config, dimension)


def _convolution(width_in: int, width: int, size: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(width_in, width, size, stride, size // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(width))
