"""Image towers as the device runs them: bytes in, and what is constant folded away."""

from __future__ import annotations

import copy

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_weights

from models.conaclip.image_encoder import ConvNet, ImageEncoder, PatchEmbedding, split_patches


def exported_image(tower: ImageEncoder) -> ImageEncoder:
    """A copy in evaluation mode that computes the same, without normalisation of pixels and without
    batch normalisation: both are inside the matrices before them."""
    tower = copy.deepcopy(tower).eval()
    linear = tower.patches.folded()
    if isinstance(tower, ConvNet):
        norm = tower.patch_norm
        linear.weight, linear.bias = fuse_linear_bn_weights(
            linear.weight, linear.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
        )
        tower.patch_norm = nn.Identity()
        for block in tower.blocks:
            for part in (block.first, block.second, block.shortcut):
                if isinstance(part, nn.Sequential):
                    part[0], part[1] = fuse_conv_bn_eval(part[0], part[1]), nn.Identity()
    tower.patches = _BytePatches(tower.patches, linear)
    return tower


class _BytePatches(nn.Module):
    """`PatchEmbedding` whose matrix reads bytes as they are."""

    def __init__(self, patches: PatchEmbedding, linear: nn.Linear) -> None:
        super().__init__()
        self.patch, self.linear = patches.patch, linear

    def forward(self, pixels: Tensor) -> Tensor:
        # Bytes are moved, and only then turned into floats.
        return self.linear(split_patches(pixels, self.patch).float())
