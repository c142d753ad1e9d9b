"""The towers: the paper's sizes, what padding may change, what export folds away."""

import json

import pytest

torch = pytest.importorskip("torch")

from models.conaclip.config import PRESETS, ConvConfig, DualConfig, TextConfig, VitConfig  # noqa: E402
from models.conaclip.exported import exported_image  # noqa: E402
from models.conaclip.model import DualEncoder  # noqa: E402
from models.conaclip.teacher import start_from_teacher  # noqa: E402
from models.conaclip.text_encoder import TextEncoder  # noqa: E402

TEXT = TextConfig(layers=2, heads=2, width=16, vocabulary=50, length=12)
VIT = VitConfig(layers=2, heads=2, width=16, patch=8, size=32)
CONV = ConvConfig(widths=(8, 12, 16), depths=(1, 2, 1), size=32)


@pytest.mark.parametrize(
    ("preset", "millions"), [("conaclip-6l", 66), ("conaclip-4l", 60), ("conaclip-2l", 53)]
)
def test_students_have_the_papers_parameter_counts(preset: str, millions: int) -> None:
    with torch.device("meta"):
        assert int(DualEncoder(PRESETS[preset]).parameters_in_millions()) == millions


def test_the_teacher_has_as_many_parameters_as_the_published_clip() -> None:
    with torch.device("meta"):
        model = DualEncoder(PRESETS["clip-vit-b32"])
    assert sum(p.numel() for p in model.parameters()) == 151_277_313


@pytest.mark.parametrize("name", PRESETS)
def test_a_configuration_survives_json(name: str) -> None:
    assert DualConfig.from_dict(json.loads(json.dumps(PRESETS[name].to_dict()))) == PRESETS[name]


def test_neither_padding_nor_other_rows_change_the_vector_of_a_text() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(TEXT, 8).eval()
    text = [48, 7, 3, 49]
    alone = encoder(torch.tensor([text]))
    padded = encoder(torch.tensor([text + [0] * 5, [48, *range(1, 8), 49]]))
    torch.testing.assert_close(padded[:1], alone, rtol=1e-5, atol=1e-6)
    changed = encoder(torch.tensor([[48, 7, 4, 49]]))
    assert (changed - alone).abs().max() > 1e-3


def test_a_text_is_read_in_order() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(TEXT, 8).eval()
    one, two = encoder(torch.tensor([[48, 7, 3, 49], [48, 3, 7, 49]]))
    assert (one - two).abs().max() > 1e-3


@pytest.mark.parametrize("config", [VIT, CONV])
def test_the_exported_image_tower_computes_the_same(config: VitConfig | ConvConfig) -> None:
    torch.manual_seed(0)
    tower = DualEncoder(DualConfig(TEXT, config, 8)).image
    pixels = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
    for module in tower.modules():  # statistics and gains as after a training
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias)
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    tower.eval()
    exported = exported_image(tower)
    torch.testing.assert_close(exported(pixels), tower(pixels), rtol=1e-4, atol=1e-4)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in exported.modules())
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in tower.modules()) == (config is CONV)


def test_an_image_tower_takes_patches_as_a_convolution_would() -> None:
    torch.manual_seed(0)
    patches = DualEncoder(DualConfig(TEXT, VIT, 8)).image.patches
    pixels = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    kernel = patches.linear.weight.view(16, 8, 8, 3).permute(0, 3, 1, 2)
    images = (pixels.permute(0, 3, 1, 2).float() - 128) / 64
    expected = torch.nn.functional.conv2d(images, kernel, patches.linear.bias, stride=8)
    torch.testing.assert_close(patches(pixels).permute(0, 3, 1, 2), expected, rtol=1e-4, atol=1e-4)


def test_vectors_have_length_one() -> None:
    model = DualEncoder(DualConfig(TEXT, CONV, 8)).eval()
    pixels = torch.randint(0, 256, (3, 32, 32, 3), dtype=torch.uint8)
    for vectors in (model.encode_image(pixels), model.encode_text(torch.tensor([[48, 5, 49]]))):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(vectors)))


def test_a_student_starts_from_the_first_text_layers_of_its_teacher() -> None:
    deep = TextConfig(layers=3, heads=2, width=16, vocabulary=50, length=12)
    teacher, student = (DualEncoder(DualConfig(text, CONV, 8)) for text in (deep, TEXT))
    start_from_teacher(student, teacher)
    del teacher.text.transformer.layers[2]
    tokens = torch.tensor([[48, 7, 3, 49]])
    torch.testing.assert_close(student.text(tokens), teacher.text(tokens))


@pytest.mark.parametrize("change", [{"width": 32}, {"layers": 4}, {"vocabulary": 60}])
def test_a_student_that_does_not_fit_its_teacher_is_refused(change: dict[str, int]) -> None:
    other = TextConfig(**{**TEXT.__dict__, **change})
    teacher, student = (DualEncoder(DualConfig(text, CONV, 8)) for text in (TEXT, other))
    with pytest.raises(ValueError, match="cannot start"):
        start_from_teacher(student, teacher)
