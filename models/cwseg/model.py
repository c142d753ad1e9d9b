"""Members of a cohort: every one maps characters to emissions of B, I and O, with a CRF on top."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_sdk.kernels.identities import LEXICON_FEATURES
from models.common.crf import LinearChainCRF
from models.common.dropout import ByteDropout
from models.cwseg.bert import Bert, load_bert, read_config, read_vocabulary
from models.cwseg.config import MemberConfig
from models.cwseg.data import MARGIN
from models.cwseg.encoders import ENCODERS
from models.cwseg.tags import TAGS, allowed


class Member(nn.Module):
    """The head and the CRF that all members share; a subclass has an encoder.

    `forward(characters, bigrams, lexicon, criterion)` takes integers [batch, n + 2 MARGIN] as
    `edge_sdk.characters.prepare` and the kernel `lexicon_features` make them of a text with MARGIN
    edges before and after it (0 in all three where the text has ended), and `criterion` integers
    [batch]. It gives emissions float32 [batch, n, 3].
    """

    def __init__(self, config: MemberConfig, width: int) -> None:
        super().__init__()
        self.config = config
        self.head = nn.Linear(width, len(TAGS))
        moves, first, _ = allowed()
        self.crf = LinearChainCRF(moves, first)

    def supervised_loss(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """L_c, a mean per character: the CRF's loss, and the cross entropy of each character's tag.

        The second keeps the softmax of the emissions a distribution that another member can
        learn from, which is what equation (1) is written for.
        """
        emissions = emissions.float()
        sequence = self.crf.negative_log_likelihood(emissions, tags, mask) * len(mask) / mask.sum()
        chosen = mask > 0
        return sequence + functional.cross_entropy(emissions[chosen], tags[chosen])


class Segmenter(Member):
    """A member that is trained from scratch, and can be exported."""

    def __init__(self, config: MemberConfig, characters: int, criteria: int) -> None:
        super().__init__(config, config.width)
        self.characters = nn.Embedding(characters, config.character_width)
        self.bigrams = nn.Embedding(config.bigram_buckets, config.bigram_width)
        self.lexicon = nn.Embedding(LEXICON_FEATURES, config.lexicon_width)
        for table in (self.characters, self.bigrams, self.lexicon):
            nn.init.normal_(table.weight, std=0.3)
        self.criterion = nn.Embedding(criteria, config.lexicon_width)
        nn.init.normal_(self.criterion.weight, std=0.1)
        width_in = config.character_width + config.bigram_width + config.lexicon_width
        self.dropout = ByteDropout(config.dropout)
        self.encoder = ENCODERS[config.encoder](
            width_in, config.width, config.layers, config.span, config.dropout
        )
        if self.encoder.reach > MARGIN:
            raise ValueError(f"{config.name} sees more than {MARGIN} characters to each side")

    def forward(
        self, characters: Tensor, bigrams: Tensor, lexicon: Tensor, criterion: Tensor
    ) -> Tensor:
        """See `Member`."""
        unseen = MARGIN - self.encoder.reach
        seen = slice(unseen, characters.shape[1] - unseen)
        hints = self.lexicon(lexicon[:, seen]) + self.criterion(criterion)[:, None]
        vectors = [self.characters(characters[:, seen]), self.bigrams(bigrams[:, seen]), hints]
        mask = (characters[:, seen] != 0).to(torch.float32)
        return self.head(self.encoder(self.dropout(torch.cat(vectors, 2)), mask))


class ExportedSegmenter(nn.Module):
    """A window member as the device runs it: texts with `reach` edges, and fewer operations.

    The criterion comes in with the lexicon's feature: feature + LEXICON_FEATURES * criterion.
    """

    def __init__(self, member: Segmenter) -> None:
        super().__init__()
        if member.config.encoder != "window":
            raise ValueError(f"{member.config.name}: only window members can be exported")
        self.characters, self.bigrams = member.characters, member.bigrams
        hints = member.criterion.weight[:, None] + member.lexicon.weight[None]
        self.hints = nn.Embedding.from_pretrained(hints.detach().flatten(0, 1))
        self.encoder, self.head = member.encoder, member.head
        self.reach = member.encoder.reach
        self.eval()

    def forward(self, characters: Tensor, bigrams: Tensor, hints: Tensor) -> Tensor:
        """Integers [batch, n + 2 reach] -> emissions float32 [batch, n, 3]."""
        vectors = [self.characters(characters), self.bigrams(bigrams), self.hints(hints)]
        return self.head(self.encoder(torch.cat(vectors, 2), characters))


class BertMember(Member):
    """The first layers of a pre-trained BERT, which sees characters only.

    Args:
        bert: from `load_bert`.
        tokens: number in BERT's vocabulary of each of our characters, int64 [characters].
        special: numbers of [CLS] and [SEP].
    """

    def __init__(
        self, config: MemberConfig, bert: Bert, tokens: Tensor, special: tuple[int, int], criteria: int
    ) -> None:
        super().__init__(config, bert.config.hidden_size)
        self.bert = bert
        self.register_buffer("tokens", tokens)
        self.special = special
        self.criterion = nn.Embedding(criteria, bert.config.hidden_size)
        nn.init.zeros_(self.criterion.weight)

    def forward(
        self, characters: Tensor, bigrams: Tensor, lexicon: Tensor, criterion: Tensor
    ) -> Tensor:
        """See `Member`. Texts are cut to what the checkpoint has positions for."""
        room = self.bert.config.max_position_embeddings - 2
        characters = characters[:, MARGIN : characters.shape[1] - MARGIN]
        seen = characters[:, :room]
        first, last = (torch.full_like(seen[:, :1], number) for number in self.special)
        tokens = torch.cat([first, self.tokens[seen], last], 1)
        mask = functional.pad((seen != 0).float(), (1, 1), value=1.0)
        hidden = self.bert(tokens, mask)[:, 1:-1]
        emissions = self.head(hidden + self.criterion(criterion)[:, None])
        return functional.pad(emissions, (0, 0, 0, characters.shape[1] - seen.shape[1]))


def build_member(
    config: MemberConfig, names: Sequence[str], criteria: int, pretrained: bool = True
) -> Member:
    """A member with fresh weights, or those of its BERT checkpoint.

    Args:
        names: the character of each identity, "" for classes without one.
        criteria: number of segmentation standards.
        pretrained: False leaves BERT's weights random, to be loaded from our own checkpoint.

    Raises:
        OSError, ValueError: the BERT checkpoint cannot be used.
    """
    if config.encoder != "bert":
        return Segmenter(config, len(names), criteria)
    folder = Path(config.checkpoint)
    bert = load_bert(folder, config.layers) if pretrained else Bert(read_config(folder, config.layers))
    vocabulary = read_vocabulary(folder)
    unknown = vocabulary["[UNK]"]
    tokens = torch.tensor([vocabulary.get(name, unknown) if name else unknown for name in names])
    tokens[0] = vocabulary["[PAD]"]
    return BertMember(config, bert, tokens, (vocabulary["[CLS]"], vocabulary["[SEP]"]), criteria)
