"""CLIP checkpoints of both layouts give what the model of Hugging Face gives (transformers 5.23.0)."""

import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.conaclip.clip_checkpoint import load_clip  # noqa: E402
from models.conaclip.config import PRESETS  # noqa: E402
from models.conaclip.tokens import read_clip_vocabulary, train_vocabulary, vocabulary_of  # noqa: E402

MERGES = [("t", "h"), ("th", "e</w>"), ("a", "p"), ("ap", "p"), ("l", "e</w>"), ("app", "le</w>")]
TOKENS = [[518, 7, 300, 44, 519, 0]]
# CLIPModel with the weights of `weights()`, its own preprocessing constants, get_*_features().
TEXT_VECTOR = [
    0.25253, -0.26253, -0.22024, 0.89895, -1.26427, 0.98089, -1.54341, -0.70238, -1.08525, 0.10356,
    -0.72137, 0.35751, 0.45404, 0.34943, 0.28117, -0.11338, 0.35186, 2.20147, 0.60522, -0.36061,
    -0.71085, 1.15424, -0.43349, 0.51197,
]  # fmt: skip
IMAGE_VECTOR = [
    -0.79171, -0.61124, -1.26658, 0.06424, 2.99872, 0.78371, 0.04973, -1.53196, -1.47566, -1.12251,
    -0.6118, 0.084, -1.00061, 0.76777, 1.58269, 0.5844, -0.54322, -3.05824, -2.68829, -0.68615,
    -0.99678, 2.26546, 0.00681, 0.6234,
]  # fmt: skip
# CLIPTokenizer with MERGES.
UNITS = {
    "The  apple's\tthe 42 applé!?": [518, 513, 517, 6, 338, 513, 275, 273, 515, 75, 127, 358, 0, 286, 519],
    "Äpfel – 苹果 🍏": [
        518, 127, 97, 79, 69, 68, 331, 158, 222, 497, 164, 233, 117, 162, 252, 506, 172, 253, 235, 493, 519,
    ],
    "a_b don't": [518, 320, 318, 321, 67, 78, 333, 6, 339, 519],
    "\n": [518, 519],
}  # fmt: skip


def shapes(text: tuple[int, int, int, int], image: tuple[int, int, int, int], out: int) -> dict[str, list[int]]:
    """Every weight of Hugging Face's layout: (layers, width, vocabulary, length), (layers, width,
    patch, places)."""
    found = {"logit_scale": [], "text_projection.weight": [out, text[1]], "visual_projection.weight": [out, image[1]]}
    found["text_model.embeddings.token_embedding.weight"] = [text[2], text[1]]
    found["text_model.embeddings.position_embedding.weight"] = [text[3], text[1]]
    found["vision_model.embeddings.class_embedding"] = [image[1]]
    found["vision_model.embeddings.patch_embedding.weight"] = [image[1], 3, image[2], image[2]]
    found["vision_model.embeddings.position_embedding.weight"] = [image[3], image[1]]
    norms = [("text_model.final_layer_norm", text[1])]
    norms += [(f"vision_model.{name}", image[1]) for name in ("pre_layrnorm", "post_layernorm")]
    for tower, (layers, width, *_) in (("text", text), ("vision", image)):
        for number in range(layers):
            layer = f"{tower}_model.encoder.layers.{number}"
            norms += [(f"{layer}.layer_norm{i}", width) for i in (1, 2)]
            for name, rows, columns in [
                *((f"self_attn.{part}_proj", width, width) for part in ("q", "k", "v", "out")),
                ("mlp.fc1", 4 * width, width),
                ("mlp.fc2", width, 4 * width),
            ]:
                found[f"{layer}.{name}.weight"] = [rows, columns]
                found[f"{layer}.{name}.bias"] = [rows]
    for name, width in norms:
        found[f"{name}.weight"] = found[f"{name}.bias"] = [width]
    return found


def weights() -> dict[str, "torch.Tensor"]:
    """A small CLIP whose weights follow from their names."""
    found = {}
    for name, shape in shapes((2, 64, 520, 12), (2, 128, 8, 5), 24).items():
        index = np.arange(int(np.prod(shape)), dtype=np.float64)
        values = (np.sin(index * 12.9898 + sum(map(ord, name))) * 43758.5453 % 1 - 0.5) * 0.4
        gain = name.endswith("weight") and len(shape) == 1
        found[name] = torch.tensor(values + gain, dtype=torch.float32).reshape(shape)
    return found


def openai(found: dict[str, "torch.Tensor"]) -> dict[str, "torch.Tensor"]:
    """The same weights as OpenAI names and lays them out."""
    renamed = {
        "logit_scale": found["logit_scale"],
        "token_embedding.weight": found["text_model.embeddings.token_embedding.weight"],
        "positional_embedding": found["text_model.embeddings.position_embedding.weight"],
        "text_projection": found["text_projection.weight"].T,
        "visual.proj": found["visual_projection.weight"].T,
        "visual.class_embedding": found["vision_model.embeddings.class_embedding"],
        "visual.positional_embedding": found["vision_model.embeddings.position_embedding.weight"],
        "visual.conv1.weight": found["vision_model.embeddings.patch_embedding.weight"],
    }
    parts = {
        "layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj",
        "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
    }  # fmt: skip
    norms = {"text_model.final_layer_norm": "ln_final", "vision_model.pre_layrnorm": "visual.ln_pre",
             "vision_model.post_layernorm": "visual.ln_post"}  # fmt: skip
    for kind in ("weight", "bias"):
        for theirs, ours in norms.items():
            renamed[f"{ours}.{kind}"] = found[f"{theirs}.{kind}"]
        for tower, place in (("text", "transformer"), ("vision", "visual.transformer")):
            layers = {int(n.split(".")[3]) for n in found if n.startswith(f"{tower}_model.encoder")}
            for number in layers:
                old, new = f"{tower}_model.encoder.layers.{number}", f"{place}.resblocks.{number}"
                for theirs, ours in parts.items():
                    renamed[f"{new}.{ours}.{kind}"] = found[f"{old}.{theirs}.{kind}"]
                joined = [found[f"{old}.self_attn.{p}_proj.{kind}"] for p in "qkv"]
                renamed[f"{new}.attn.in_proj_{kind}"] = torch.cat(joined)
    return renamed


def write_safetensors(path: Path, tensors: dict[str, "torch.Tensor"]) -> None:
    header, body = {}, b""
    for name, tensor in tensors.items():
        data = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def write_hf_tokenizer(folder: Path, merges: list[tuple[str, str]] = MERGES) -> None:
    lines = ["#version: 0.2", *(" ".join(merge) for merge in merges), ""]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    numbers = json.loads(vocabulary_of(merges).json)["model"]["vocab"]
    (folder / "vocab.json").write_text(json.dumps(numbers), encoding="utf-8")


def write_openai_tokenizer(folder: Path, merges: list[tuple[str, str]]) -> None:
    lines = ["# header", *(" ".join(merge) for merge in merges), ""]
    (folder / "bpe_simple_vocab_16e6.txt.gz").write_bytes(gzip.compress("\n".join(lines).encode()))


class Archive(torch.nn.Module):
    """Weights under dotted names, for a TorchScript archive such as OpenAI publishes."""

    def __init__(self, tensors: dict[str, "torch.Tensor"]) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            *path, last = name.split(".")
            module: torch.nn.Module = self
            for part in path:
                if not hasattr(module, part):
                    module.add_module(part, torch.nn.Module())
                module = getattr(module, part)
            module.register_parameter(last, torch.nn.Parameter(tensor.contiguous()))

    def forward(self, x: "torch.Tensor") -> "torch.Tensor":
        return x


def write(folder: Path, layout: str) -> None:
    if layout.startswith("hf"):
        write_hf_tokenizer(folder)
        if layout == "hf safetensors":
            write_safetensors(folder / "model.safetensors", weights())
        else:
            positions = {"text_model.embeddings.position_ids": torch.arange(12)[None]}  # old files
            torch.save({**weights(), **positions}, folder / "pytorch_model.bin")
        return
    write_openai_tokenizer(folder, MERGES)
    if layout == "openai archive":
        # The archive holds sizes beside the weights, as OpenAI's does.
        torch.jit.script(Archive(openai(weights()))).save(folder / "ViT-B-32.pt")
    else:
        torch.save(openai(weights()), folder / "ViT-B-32.pt")


LAYOUTS = ["hf safetensors", "hf bin", "openai archive", "openai state dict"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_checkpoint_gives_the_vectors_of_hugging_faces_clip(tmp_path: Path, layout: str) -> None:
    write(tmp_path, layout)
    model, vocabulary = load_clip(tmp_path)
    pixels = (np.arange(16 * 16 * 3).reshape(1, 16, 16, 3) * 37 % 256).astype(np.uint8)
    with torch.no_grad():
        text, image = model.text(torch.tensor(TOKENS)), model.image(torch.from_numpy(pixels))
    np.testing.assert_allclose(text[0], TEXT_VECTOR, atol=2e-5)
    np.testing.assert_allclose(image[0], IMAGE_VECTOR, atol=5e-5)
    assert (vocabulary.start, vocabulary.end) == (518, 519)
    assert vocabulary.reader()("The apple") == [518, 513, 517, 519]


def test_a_checkpoint_of_exactly_vit_b_32s_layout_is_the_preset(tmp_path: Path) -> None:
    # Every weight is one number seen through a shape, so that the file is small.
    full = {
        name: torch.tensor(0.5).expand(shape)
        for name, shape in shapes((12, 512, 49_408, 77), (12, 768, 32, 50), 512).items()
    }
    alphabet = list(json.loads(vocabulary_of([]).json)["model"]["vocab"])[:256]
    merges = [(a, b) for a in alphabet for b in alphabet][: 49_408 - 514]
    torch.save(full, tmp_path / "pytorch_model.bin")
    write_openai_tokenizer(tmp_path, [*merges, ("not", "read")])
    model, vocabulary = load_clip(tmp_path)
    assert model.config == PRESETS["clip-vit-b32"]
    assert vocabulary.size == 49_408
    assert sum(p.numel() for p in model.parameters()) == 151_277_313


@pytest.mark.parametrize("text", UNITS)
def test_texts_become_the_units_of_hugging_faces_tokenizer(tmp_path: Path, text: str) -> None:
    write_hf_tokenizer(tmp_path)
    assert read_clip_vocabulary(tmp_path).reader()(text) == UNITS[text]


def test_missing_or_misshapen_weights_are_named(tmp_path: Path) -> None:
    write_hf_tokenizer(tmp_path)
    broken = weights()
    del broken["vision_model.encoder.layers.1.mlp.fc2.bias"]
    torch.save(broken, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"layers\.1\.mlp\.fc2\.bias"):
        load_clip(tmp_path)
    broken = weights()
    broken["text_projection.weight"] = torch.zeros(24, 32)
    torch.save(broken, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"text\.projection\.weight has the shape \[24, 32\], expected \[24, 64\]"):
        load_clip(tmp_path)


def test_a_checkpoint_without_weights_or_with_another_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="model.safetensors"):
        load_clip(tmp_path)
    torch.save(weights(), tmp_path / "pytorch_model.bin")
    write_hf_tokenizer(tmp_path, MERGES[:2])
    with pytest.raises(ValueError, match="516 units, the table of embeddings 520"):
        load_clip(tmp_path)
    write_hf_tokenizer(tmp_path)
    numbers = json.loads((tmp_path / "vocab.json").read_text(encoding="utf-8"))
    numbers["apple</w>"] = 600
    (tmp_path / "vocab.json").write_text(json.dumps(numbers), encoding="utf-8")
    with pytest.raises(ValueError, match="does not follow from merges"):
        load_clip(tmp_path)


def test_nothing_in_a_pickled_checkpoint_is_executed(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "executed",))

    torch.save({"visual.conv1.weight": Trap()}, tmp_path / "model.pt")
    with pytest.raises(Exception, match="(?i)weights.only"):
        load_clip(tmp_path)
    assert not (tmp_path / "executed").exists()


def test_a_trained_vocabulary_merges_the_most_frequent_pair_first() -> None:
    texts = ["low low low lower", "lowest"]
    vocabulary = train_vocabulary(texts, 514 + 3)
    merges = [tuple(merge) for merge in json.loads(vocabulary.json)["model"]["merges"]]
    # "l o" occurs 5 times, "lo w</w>" 3 times, then "lo w" and "w e" twice: alphabetical order.
    assert merges == [("l", "o"), ("lo", "w</w>"), ("lo", "w")]
    assert vocabulary.size == 514 + 3
    assert len(vocabulary.reader()("low")) == 3
    assert train_vocabulary(texts, 514 + 3).json == vocabulary.json


def test_a_trained_vocabulary_has_units_for_every_text() -> None:
    reader = train_vocabulary(["green apple"], 600).reader()
    for text in ("日本 🍏", "\x00\x7f", "ÿ", "\ud800"):
        assert len(reader(text)) > 2
