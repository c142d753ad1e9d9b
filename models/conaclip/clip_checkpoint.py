"""CLIP checkpoints (Radford et al., 2021) in OpenAI's and in Hugging Face's layout.

OpenAI: one `*.pt`, a TorchScript archive as published or a plain state dict, and
`bpe_simple_vocab_16e6.txt.gz`. Hugging Face: `model.safetensors` or `pytorch_model.bin`,
`merges.txt`, `vocab.json`. All sizes follow from the shapes of the weights.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from models.common.safetensors import read_safetensors
from models.conaclip.config import CLIP_NORMALISATION, DualConfig, TextConfig, VitConfig
from models.conaclip.model import DualEncoder
from models.conaclip.tokens import Vocabulary, read_clip_vocabulary

_HEAD = 64  # width of an attention head in every CLIP
_LAYER = re.compile(r"(text|image)\.transformer\.layers\.(\d+)\.(\w+)\.(weight|bias)")
_OPENAI_LAYER = {
    "attention_norm": "ln_1", "attention_out": "attn.out_proj", "feed_forward_norm": "ln_2",
    "feed_forward_in": "mlp.c_fc", "feed_forward_out": "mlp.c_proj",
}  # fmt: skip
_HF_LAYER = {
    "attention_norm": "layer_norm1", "attention_out": "self_attn.out_proj",
    "feed_forward_norm": "layer_norm2", "feed_forward_in": "mlp.fc1", "feed_forward_out": "mlp.fc2",
}  # fmt: skip
_OPENAI = {
    "logit_scale": "logit_scale",
    "text.tokens.weight": "token_embedding.weight",
    "text.positions": "positional_embedding",
    "text.norm.weight": "ln_final.weight",
    "text.norm.bias": "ln_final.bias",
    "text.projection.weight": "text_projection",
    "image.patches.linear.weight": "visual.conv1.weight",
    "image.class_token": "visual.class_embedding",
    "image.positions": "visual.positional_embedding",
    "image.stem_norm.weight": "visual.ln_pre.weight",
    "image.stem_norm.bias": "visual.ln_pre.bias",
    "image.norm.weight": "visual.ln_post.weight",
    "image.norm.bias": "visual.ln_post.bias",
    "image.projection.weight": "visual.proj",
}
_HF = {
    "logit_scale": "logit_scale",
    "text.tokens.weight": "text_model.embeddings.token_embedding.weight",
    "text.positions": "text_model.embeddings.position_embedding.weight",
    "text.norm.weight": "text_model.final_layer_norm.weight",
    "text.norm.bias": "text_model.final_layer_norm.bias",
    "text.projection.weight": "text_projection.weight",
    "image.patches.linear.weight": "vision_model.embeddings.patch_embedding.weight",
    "image.class_token": "vision_model.embeddings.class_embedding",
    "image.positions": "vision_model.embeddings.position_embedding.weight",
    "image.stem_norm.weight": "vision_model.pre_layrnorm.weight",  # so spelt in all checkpoints
    "image.stem_norm.bias": "vision_model.pre_layrnorm.bias",
    "image.norm.weight": "vision_model.post_layernorm.weight",
    "image.norm.bias": "vision_model.post_layernorm.bias",
    "image.projection.weight": "visual_projection.weight",
}


def is_clip(folder: Path) -> bool:
    """Whether a folder holds a CLIP checkpoint rather than one of our own trainings."""
    return not (folder / "checkpoint.json").exists()


def load_clip(folder: Path) -> tuple[DualEncoder, Vocabulary]:
    """The model and its vocabulary.

    Raises OSError for missing files; ValueError that names weights that are missing or misshapen.
    """
    stored = _read_weights(folder)
    openai = "visual.conv1.weight" in stored
    found = _Stored(folder, stored, openai)
    model = DualEncoder(_config(found))
    weights = {name: found.like(name, value) for name, value in model.state_dict().items()}
    model.load_state_dict(weights)
    vocabulary = read_clip_vocabulary(folder)
    if vocabulary.size != model.config.text.vocabulary:
        raise ValueError(
            f"{folder}: the vocabulary has {vocabulary.size} units, "
            f"the table of embeddings {model.config.text.vocabulary}"
        )
    return model.eval(), vocabulary


class _Stored:
    """The weights of a checkpoint by our names."""

    def __init__(self, folder: Path, weights: Mapping[str, Tensor], openai: bool) -> None:
        self.folder, self.weights, self.openai = folder, weights, openai

    def get(self, name: str) -> Tensor:
        """float32, in our orientation."""
        match = _LAYER.fullmatch(name)
        if match:
            return self._layer(*match.groups())
        value = self._read((_OPENAI if self.openai else _HF)[name])
        if name == "image.patches.linear.weight":  # a convolution: [width, 3, patch, patch]
            return value.permute(0, 2, 3, 1).flatten(1)
        return value.T if self.openai and name.endswith("projection.weight") else value

    def like(self, name: str, expected: Tensor) -> Tensor:
        """`get`, of the shape expected."""
        value = self.get(name)
        if value.shape != expected.shape:
            raise ValueError(
                f"{self.folder}: {name} has the shape {list(value.shape)}, expected {list(expected.shape)}"
            )
        return value

    def layers(self, tower: str) -> int:
        """How many layers of a tower are stored."""
        pattern = re.compile(re.escape(self._prefix(tower)) + r"(\d+)\.")
        return 1 + max((int(m[1]) for key in self.weights if (m := pattern.match(key))), default=-1)

    def _layer(self, tower: str, number: str, part: str, kind: str) -> Tensor:
        place = f"{self._prefix(tower)}{number}."
        if part != "query_key_value":
            return self._read(f"{place}{(_OPENAI_LAYER if self.openai else _HF_LAYER)[part]}.{kind}")
        if self.openai:
            return self._read(f"{place}attn.in_proj_{kind}")
        return torch.cat([self._read(f"{place}self_attn.{p}_proj.{kind}") for p in "qkv"])

    def _prefix(self, tower: str) -> str:
        if self.openai:
            return "transformer.resblocks." if tower == "text" else "visual.transformer.resblocks."
        return f"{'text' if tower == 'text' else 'vision'}_model.encoder.layers."

    def _read(self, key: str) -> Tensor:
        if key not in self.weights:
            raise ValueError(f"{self.folder}: no weight {key}; is it a CLIP with a Vision Transformer?")
        return self.weights[key].detach().float()


def _config(found: _Stored) -> DualConfig:
    vocabulary, width = found.get("text.tokens.weight").shape
    image_width, patch_size = found.get("image.patches.linear.weight").shape
    patch = round((patch_size / 3) ** 0.5)
    grid = round((len(found.get("image.positions")) - 1) ** 0.5)
    text = TextConfig(
        layers=found.layers("text"), heads=max(1, width // _HEAD), width=width, vocabulary=vocabulary,
        length=len(found.get("text.positions")),
    )  # fmt: skip
    image = VitConfig(
        layers=found.layers("image"), heads=max(1, image_width // _HEAD), width=image_width, patch=patch,
        size=grid * patch, activation="quick_gelu", stem_norm=True, normalisation=CLIP_NORMALISATION,
    )  # fmt: skip
    return DualConfig(text, image, len(found.get("text.projection.weight")))


def _read_weights(folder: Path) -> Mapping[str, Tensor]:
    safetensors = folder / "model.safetensors"
    if safetensors.exists():
        return read_safetensors(safetensors)
    choices = [folder / "pytorch_model.bin", *sorted(folder.glob("*.pt"))]
    path = next((choice for choice in choices if choice.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"{folder}: no model.safetensors, pytorch_model.bin or *.pt")
    if _is_torchscript(path):
        # OpenAI publishes archives of this kind. They hold compiled code beside the weights, which
        # is read, not called; take them from OpenAI only.
        return torch.jit.load(path, map_location="cpu").state_dict()
    return torch.load(path, map_location="cpu", weights_only=True)


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())
