"""BERT members: checkpoints in the usual layout, and torch's own encoder as the oracle."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from models.cwseg.bert import Bert, BertConfig, load_bert, read_safetensors  # noqa: E402
from models.cwseg.cohort import Cohort  # noqa: E402
from models.cwseg.config import MemberConfig, parse_member  # noqa: E402
from models.cwseg.data import MARGIN  # noqa: E402
from models.cwseg.model import build_member  # noqa: E402
from edge_sdk.characters import vocabulary  # noqa: E402

SIZES = {
    "vocab_size": 12, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 4,
    "intermediate_size": 24, "max_position_embeddings": 10, "hidden_act": "gelu", "model_type": "bert",
}  # fmt: skip
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "的", "中", "国", "a", "0", "，", "##的", "人"]


@pytest.fixture(params=["safetensors", "bin", "old names"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A randomly initialised checkpoint in the Hugging Face layout."""
    torch.manual_seed(0)
    known = {key: value for key, value in SIZES.items() if key != "model_type"}
    weights = Bert(BertConfig(**known)).state_dict()
    weights["pooler.dense.weight"] = torch.zeros(16, 16)  # there, and not needed
    if request.param != "safetensors":
        weights = {f"bert.{name}": value for name, value in weights.items()}
    if request.param == "old names":
        weights = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
            for name, value in weights.items()
        }
    (tmp_path / "config.json").write_text(json.dumps(SIZES))
    (tmp_path / "vocab.txt").write_text("\n".join(TOKENS) + "\n", encoding="utf-8")
    if request.param == "safetensors":
        write_safetensors(tmp_path / "model.safetensors", weights)
    else:
        torch.save(weights, tmp_path / "pytorch_model.bin")
    return tmp_path


def write_safetensors(path: Path, weights: dict[str, torch.Tensor]) -> None:
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, value in weights.items():
        data = value.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def test_layers_agree_with_torch(folder: Path) -> None:
    bert = load_bert(folder, 2).eval()
    x, mask = torch.randn(2, 5, 16), torch.tensor([[1.0] * 5, [1, 1, 1, 0, 0]])
    expected = x
    for layer in bert.encoder.layer:
        oracle = torch.nn.TransformerEncoderLayer(
            16, 4, 24, 0.0, "gelu", layer_norm_eps=1e-12, batch_first=True
        ).eval()
        attention = layer.attention["self"]
        parts = [attention[name] for name in ("query", "key", "value")]
        state = {
            "self_attn.in_proj_weight": torch.cat([p.weight for p in parts]),
            "self_attn.in_proj_bias": torch.cat([p.bias for p in parts]),
        }
        places = {
            "self_attn.out_proj": layer.attention["output"].dense,
            "norm1": layer.attention["output"].LayerNorm,
            "linear1": layer.intermediate["dense"],
            "linear2": layer.output.dense,
            "norm2": layer.output.LayerNorm,
        }
        for name, module in places.items():
            state |= {f"{name}.weight": module.weight, f"{name}.bias": module.bias}
        oracle.load_state_dict(state)
        expected = oracle(expected, src_key_padding_mask=mask == 0)
    found = bert.encoder(x, mask)
    torch.testing.assert_close(found[mask > 0], expected[mask > 0], atol=1e-5, rtol=1e-4)


def test_a_checkpoint_joins_a_cohort(folder: Path) -> None:
    names = vocabulary("的中国人，")
    config = parse_member("bert-1", str(folder))
    bert = build_member(config, names, 3)
    assert len(bert.bert.encoder.layer) == 1
    assert [TOKENS[i] for i in bert.tokens.tolist()][-5:] == ["的", "中", "国", "人", "，"]
    small = build_member(MemberConfig("window", 1, 15, 1, 8, 6, 64, 4, 0.0), names, 3)
    characters = torch.randint(7, len(names), (2, 14 + 2 * MARGIN))  # more than it has positions
    found = {
        "characters": characters, "bigrams": characters, "lexicon": characters, "tags": torch.full((2, 14), 2),
        "criterion": torch.tensor([0, 1]), "mask": torch.ones(2, 14),
    }  # fmt: skip
    Cohort([small, bert]).loss(found).backward()
    assert bert.bert.embeddings.word_embeddings.weight.grad.abs().sum() > 0
    again = build_member(config, names, 3, pretrained=False)
    again.load_state_dict(bert.state_dict())
    torch.testing.assert_close(
        again.eval()(characters, characters, characters, found["criterion"]),
        bert.eval()(characters, characters, characters, found["criterion"]),
    )


def test_wrong_checkpoints_are_named(folder: Path) -> None:
    with pytest.raises(ValueError, match="3 layers, 4"):
        load_bert(folder, 4)
    (folder / "config.json").write_text(json.dumps({**SIZES, "hidden_size": 20}))
    with pytest.raises(ValueError, match="word_embeddings.weight is of shape"):
        load_bert(folder)
    (folder / "config.json").write_text(json.dumps({**SIZES, "hidden_act": "relu"}))
    with pytest.raises(ValueError, match="hidden_act"):
        load_bert(folder)


@pytest.mark.parametrize("damage", [lambda d: d[:4], lambda d: b"\xff" * 8 + d[8:], lambda d: d[:-8]])
def test_damaged_safetensors(tmp_path: Path, damage) -> None:
    path = tmp_path / "x.safetensors"
    write_safetensors(path, {"a": torch.ones(4, 4)})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="does not fit"):
        read_safetensors(path)
