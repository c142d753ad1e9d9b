"""Checkpoints of BART (Hugging Face layout) and OpenNMT-py, against their own libraries or formulas."""

import argparse
import json
import math
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from torch import Tensor
from torch.nn import functional

from edge_sdk.query_tokenizer import BEGIN, END, FIRST_SLOT, SLOTS, QueryTokenizer
from models.query_translator.bart import bart_tokenizer, load_bart
from models.query_translator.model import sinusoids
from models.query_translator.opennmt import load_opennmt

WIDTH, HIDDEN, HEADS = 16, 24, 2
OLD = ["<s>", "<pad>", "</s>", "<unk>", "a", "Ġ", "Ġa", "b", "ab", "Ġab", "<mask>"]
"""A vocabulary in BART's order."""


def write_bart(folder: Path, encoder_layers: int = 2, decoder_layers: int = 1) -> dict[str, Tensor]:
    """A randomly initialised checkpoint; its weights by the names of the file."""
    torch.manual_seed(1)
    weights = {"model.shared.weight": torch.randn(len(OLD), WIDTH), "final_logits_bias": torch.randn(1, len(OLD))}

    def linear(name: str, rows: int, columns: int) -> None:
        weights[f"{name}.weight"] = torch.randn(rows, columns) * 0.3
        weights[f"{name}.bias"] = torch.randn(rows) * 0.3

    def norm(name: str) -> None:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = torch.rand(WIDTH) + 0.5, torch.randn(WIDTH)

    for side, layers in (("encoder", encoder_layers), ("decoder", decoder_layers)):
        weights[f"model.{side}.embed_tokens.weight"] = weights["model.shared.weight"]
        weights[f"model.{side}.embed_positions.weight"] = torch.randn(32 + 2, WIDTH)
        norm(f"model.{side}.layernorm_embedding")
        for i in range(layers):
            layer = f"model.{side}.layers.{i}"
            for attention in ("self_attn", "encoder_attn")[: 1 + (side == "decoder")]:
                for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    linear(f"{layer}.{attention}.{part}", WIDTH, WIDTH)
                norm(f"{layer}.{attention}_layer_norm")
            linear(f"{layer}.fc1", HIDDEN, WIDTH)
            linear(f"{layer}.fc2", WIDTH, HIDDEN)
            norm(f"{layer}.final_layer_norm")
    config = {
        "model_type": "bart", "architectures": ["BartForConditionalGeneration"], "vocab_size": len(OLD),
        "d_model": WIDTH, "encoder_layers": encoder_layers, "decoder_layers": decoder_layers,
        "encoder_attention_heads": HEADS, "decoder_attention_heads": HEADS, "encoder_ffn_dim": HIDDEN,
        "decoder_ffn_dim": HIDDEN, "max_position_embeddings": 32, "activation_function": "gelu",
        "scale_embedding": False, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
        "decoder_start_token_id": 2, "forced_eos_token_id": 2, "tie_word_embeddings": True,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "vocab.json").write_text(json.dumps({s: i for i, s in enumerate(OLD)}), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\nĠ a\na b\nĠa b\n", encoding="utf-8")
    torch.save(weights, folder / "pytorch_model.bin")
    return weights


def test_bart_gives_the_logits_of_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="the reference for BART checkpoints")
    write_bart(tmp_path)
    reference = transformers.BartForConditionalGeneration.from_pretrained(tmp_path).eval()
    model, symbols = load_bart(tmp_path, brands=3)
    assert model.config.vocabulary == len(symbols) + 3
    ours = {symbol.replace("▁", "Ġ"): i for i, symbol in enumerate(symbols)}
    ours |= {"<pad>": 0, "<unk>": 1, "<s>": BEGIN, "</s>": END}
    kept = [s for s in OLD if s in ours and s != "<pad>"]  # its row is zero here
    new = torch.tensor([ours[s] for s in kept])
    old = torch.tensor([OLD.index(s) for s in kept])
    rows = [["<s>", "Ġab", "a", "</s>"], ["<s>", "b", "</s>", "<pad>"]]
    target = [["</s>", "<s>", "Ġa"], ["</s>", "b", "b"]]
    source_ids = torch.tensor([[OLD.index(s) for s in row] for row in rows])
    with torch.no_grad():
        wanted = reference(
            input_ids=source_ids,
            attention_mask=(source_ids != 1).long(),
            decoder_input_ids=torch.tensor([[OLD.index(s) for s in row] for row in target]),
        ).logits
        found = model.eval()(
            torch.tensor([[ours[s] for s in row] for row in rows]),
            torch.tensor([[ours[s] for s in row] for row in target]),
        )
    torch.testing.assert_close(found[:, :, new], wanted[:, :, old], atol=1e-4, rtol=1e-4)


def test_bart_pieces_and_brands_share_one_tokenizer(tmp_path: Path) -> None:
    write_bart(tmp_path)
    model, symbols = load_bart(tmp_path, brands=1)
    tokenizer = QueryTokenizer(bart_tokenizer(tmp_path, symbols), ["dabur"], len(symbols))
    source = tokenizer.encode("ab dabur ab é")
    assert [s for s in symbols if s.startswith("[COPY")] == [f"[COPY{i}]" for i in range(SLOTS)]
    assert source.ids == [symbols.index("▁ab"), len(symbols), symbols.index("▁ab"), FIRST_SLOT]
    assert tokenizer.decode(source.ids, source.slots) == "ab dabur ab é"
    assert max(source.ids) < model.config.vocabulary


def test_a_bart_checkpoint_that_lacks_a_weight_is_named(tmp_path: Path) -> None:
    weights = write_bart(tmp_path)
    del weights["model.decoder.layers.0.fc2.bias"]
    torch.save(weights, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"decoder\.layers\.0\.fc2\.bias"):
        load_bart(tmp_path, brands=0)


SYMBOLS = ["<unk>", "<blank>", "<s>", "</s>", "▁a", "▁b", "c"]
"""In OpenNMT-py's order."""


def opennmt_weights() -> dict[str, Tensor]:
    torch.manual_seed(2)
    table = torch.randn(len(SYMBOLS), WIDTH)
    found = {"generator.0.weight": table, "generator.0.bias": torch.randn(len(SYMBOLS)) * 0.1}

    def attention(name: str) -> None:
        for part in ("linear_keys", "linear_values", "linear_query", "final_linear"):
            found[f"{name}.{part}.weight"] = torch.randn(WIDTH, WIDTH) * 0.3
            found[f"{name}.{part}.bias"] = torch.randn(WIDTH) * 0.3

    def norm(name: str) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = torch.rand(WIDTH) + 0.5, torch.randn(WIDTH)

    for side, layer in (("encoder", "transformer"), ("decoder", "transformer_layers")):
        found[f"{side}.embeddings.make_embedding.emb_luts.0.weight"] = table
        found[f"{side}.embeddings.make_embedding.pe.pe"] = sinusoids(50, WIDTH)[:, None]
        norm(f"{side}.layer_norm")
        name = f"{side}.{layer}.0"
        attention(f"{name}.self_attn")
        for kind, rows, columns in (("w_1", HIDDEN, WIDTH), ("w_2", WIDTH, HIDDEN)):
            found[f"{name}.feed_forward.{kind}.weight"] = torch.randn(rows, columns) * 0.3
            found[f"{name}.feed_forward.{kind}.bias"] = torch.randn(rows) * 0.3
        norm(f"{name}.feed_forward.layer_norm")
        if side == "encoder":
            norm(f"{name}.layer_norm")
        else:
            attention(f"{name}.context_attn")
            norm(f"{name}.layer_norm_1")
            norm(f"{name}.layer_norm_2")
    return found


def write_opennmt(path: Path, weights: dict[str, Tensor]) -> Path:
    generator = {k.removeprefix("generator."): v for k, v in weights.items() if k.startswith("generator.")}
    model = {k: v for k, v in weights.items() if not k.startswith("generator.")}
    options = argparse.Namespace(heads=HEADS, pos_ffn_activation_fn="relu", model_type="text")
    vocab = {"src": SYMBOLS, "tgt": SYMBOLS, "data_task": "seq2seq"}
    torch.save({"model": model, "generator": generator, "vocab": vocab, "opt": options, "optim": {}}, path)
    return path


def opennmt_logits(w: dict[str, Tensor], source: list[int], target: list[int]) -> Tensor:
    """OpenNMT-py's Transformer for one sentence, written out from its definition."""

    def norm(x: Tensor, name: str) -> Tensor:
        return functional.layer_norm(x, (WIDTH,), w[f"{name}.weight"], w[f"{name}.bias"], 1e-6)

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def attend(x: Tensor, other: Tensor, name: str, causal: bool = False) -> Tensor:
        out = []
        size = WIDTH // HEADS
        query, key, value = (
            linear(a, f"{name}.linear_{p}") for a, p in ((x, "query"), (other, "keys"), (other, "values"))
        )
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            scores = query[:, part] @ key[:, part].T / math.sqrt(size)
            if causal:
                scores = scores + torch.full_like(scores, -1e9).triu(1)
            out.append(scores.softmax(1) @ value[:, part])
        return linear(torch.cat(out, 1), f"{name}.final_linear")

    def feed_forward(x: Tensor, name: str) -> Tensor:
        return x + linear(linear(norm(x, f"{name}.layer_norm"), f"{name}.w_1").relu(), f"{name}.w_2")

    def embed(ids: list[int]) -> Tensor:
        return w["generator.0.weight"][ids] * math.sqrt(WIDTH) + sinusoids(50, WIDTH)[: len(ids)]

    layer = "encoder.transformer.0"
    x = embed(source)
    normed = norm(x, f"{layer}.layer_norm")
    x = feed_forward(x + attend(normed, normed, f"{layer}.self_attn"), f"{layer}.feed_forward")
    memory = norm(x, "encoder.layer_norm")
    layer = "decoder.transformer_layers.0"
    x = embed(target)
    normed = norm(x, f"{layer}.layer_norm_1")
    x = x + attend(normed, normed, f"{layer}.self_attn", causal=True)
    x = x + attend(norm(x, f"{layer}.layer_norm_2"), memory, f"{layer}.context_attn")
    x = norm(feed_forward(x, f"{layer}.feed_forward"), "decoder.layer_norm")
    return linear(x, "generator.0")


def test_opennmt_checkpoints_give_the_logits_of_their_definition(tmp_path: Path) -> None:
    weights = opennmt_weights()
    model, symbols = load_opennmt(write_opennmt(tmp_path / "model.pt", weights))
    assert symbols[:4] == ["[PAD]", "[UNK]", "[BEGIN]", "[END]"] and symbols[-3:] == ["▁a", "▁b", "c"]
    first = FIRST_SLOT + SLOTS
    with torch.no_grad():
        found = model.eval()(torch.tensor([[first, first + 2, END]]), torch.tensor([[BEGIN, first + 1]]))[0]
    wanted = opennmt_logits(weights, [4, 6, 3], [2, 5])
    order = [0, 1, 2, 3, first, first + 1, first + 2]
    theirs = [1, 0, 2, 3, 4, 5, 6]
    # The row of padding is zero here: nothing is ever embedded by it or predicted as it.
    torch.testing.assert_close(found[:, order[1:]], wanted[:, theirs[1:]], atol=1e-4, rtol=1e-4)


def test_opennmt_checkpoints_of_another_kind_are_refused(tmp_path: Path) -> None:
    weights = opennmt_weights()
    weights["generator.0.weight"] = torch.randn(len(SYMBOLS), WIDTH)
    with pytest.raises(ValueError, match="shared embeddings"):
        load_opennmt(write_opennmt(tmp_path / "untied.pt", weights))
    weights = opennmt_weights()
    del weights["decoder.layer_norm.bias"]
    with pytest.raises(ValueError, match=r"decoder\.layer_norm\.bias is missing"):
        load_opennmt(write_opennmt(tmp_path / "short.pt", weights))
