"""A trained window segmenter as it is exported: every activation has a range that never changes.

Engines quantize activations dynamically: they take the largest and smallest value of a whole tensor
for its scale. A character's scores would then depend, in the last bits, on the other texts of its
batch and on where a long text is cut, and some word would come out differently. So the largest
value is pinned: each layer has channels that nothing reads (their weights are 0) and that always
hold the ends of its range, and everything else is clipped to that range.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.cwseg.encoders import WindowEncoder, WindowLayer
from models.cwseg.model import Segmenter


class PinnedSegmenter(nn.Module):
    """The same function as `member`, up to clipping; takes and gives what `Member` does.

    Args:
        member: a member with a window encoder, in evaluation mode.
        feeds: inputs of `member.forward`, as int tensors by name, that show the ranges.
    """

    def __init__(self, member: Segmenter, feeds: Sequence[dict[str, Tensor]]) -> None:
        super().__init__()
        encoder = member.encoder
        if not isinstance(encoder, WindowEncoder):
            raise ValueError(f"only members with a window encoder are exported, not {member.config.name}")
        tops = _largest(member, feeds)
        tables = [member.characters.weight, member.bigrams.weight, member.lexicon.weight]
        end = max(float(table.detach().abs().max()) for table in tables)
        # The smallest table bears the pins: each row of a table is quantized by its largest value.
        lexicon = torch.cat([tables[2], torch.tensor([[end, -end]]).expand(len(tables[2]), 2)], 1)
        self.characters = nn.Embedding.from_pretrained(tables[0].detach().clone())
        self.bigrams = nn.Embedding.from_pretrained(tables[1].detach().clone())
        self.lexicon = nn.Embedding.from_pretrained(lexicon.detach())
        self.criterion = nn.Embedding.from_pretrained(
            functional.pad(encoder.criterion.weight.detach(), (0, 1))
        )
        self.layers = nn.ModuleList()
        unread = 2
        for layer, top in zip([encoder.first, *encoder.rest], tops):
            self.layers.append(_pinned(layer, unread, top))
            unread = 1
        self.tops = tops
        self.head = nn.Linear(member.head.in_features + 1, member.head.out_features)
        self.head.weight.data = functional.pad(member.head.weight.detach(), (0, 1))
        self.head.bias.data = member.head.bias.detach().clone()
        self.requires_grad_(False).eval()

    def forward(
        self, characters: Tensor, bigrams: Tensor, lexicon: Tensor, criterion: Tensor
    ) -> Tensor:
        """See `Member`."""
        mask = (characters != 0).to(torch.float32)[:, :, None]
        x = torch.cat(
            [self.characters(characters), self.bigrams(bigrams), self.lexicon(lexicon)], 2
        )
        x = self.layers[0](x * mask) + self.criterion(criterion)[:, None]
        x = x.clamp(0.0, self.tops[0]) * mask
        for layer, top in zip(self.layers[1:], self.tops[1:]):
            x = x + layer(x).clamp(0.0, top) * mask
        return self.head(x)


@torch.no_grad()
def _largest(member: Segmenter, feeds: Sequence[dict[str, Tensor]]) -> list[float]:
    """The largest activation of each layer."""
    count = 1 + len(member.encoder.rest)
    seen: list[float] = []
    # Each layer's activations pass the dropout, in order; it does nothing in evaluation mode.
    hook = member.encoder.dropout.register_forward_hook(
        lambda _, inputs, out: seen.append(float(out.max()))
    )
    for feed in feeds:
        member(**feed)
    hook.remove()
    return [max(1e-3, *seen[number::count]) for number in range(count)]


def _pinned(layer: WindowLayer, unread: int, top: float) -> WindowLayer:
    """`layer` with `unread` more inputs that it ignores and one more output that is `top`."""
    width = layer.in_features // 3
    wider = WindowLayer(width + unread, layer.out_features + 1)
    weight = functional.pad(layer.weight.detach().view(-1, 3, width), (0, unread)).flatten(1)
    wider.weight.data = functional.pad(weight, (0, 0, 0, 1))
    wider.bias.data = functional.pad(layer.bias.detach(), (0, 1), value=top)
    return wider
