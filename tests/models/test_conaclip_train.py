"""A teacher is really trained, a student distilled, the ablation run, the bundle exported and asked."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

torch = pytest.importorskip("torch")

import edge_sdk  # noqa: E402
from models.common.checkpoint import load_json  # noqa: E402
from models.conaclip import ablation, distil, train  # noqa: E402
from models.conaclip.spec import export_spec  # noqa: E402

CLASSES = {
    "Red Ball": (220, 40, 40), "Blue Ball": (40, 60, 220),
    "Green Box": (40, 200, 60), "Yellow Box": (230, 220, 40),
}  # fmt: skip


def draw(colour: tuple[int, int, int], shape: str, generator: np.random.Generator) -> Image.Image:
    """A thing somewhere on grey noise."""
    noise = generator.integers(90, 160, (72, 72, 1), dtype=np.uint8)
    image = Image.fromarray(np.repeat(noise, 3, axis=2))
    left, top = generator.integers(4, 24, 2).tolist()
    box = (left, top, left + 40, top + 40)
    pen = ImageDraw.Draw(image)
    (pen.ellipse if shape == "Ball" else pen.rectangle)(box, fill=colour)
    return image


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of four classes."""
    folder = tmp_path_factory.mktemp("shapes")
    generator = np.random.default_rng(0)
    rows = ["split\timage\tname\tcoarse_name"]
    for split, count in (("train", 24), ("val", 6)):
        for name, colour in CLASSES.items():
            for number in range(count):
                file, shape = f"{split}-{name}-{number}.png", name.split()[1]
                draw(colour, shape, generator).save(folder / file)
                rows.append(f"{split}\t{file}\t{name}\t{shape}")
    (folder / "pairs.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    lines = ["name\tdescription", *(f"{name}\tA {name.lower()}. It is {name.split()[0]}." for name in CLASSES)]
    (folder / "classes.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def teacher(data: Path) -> Path:
    out = data / "teacher"
    options = ["--preset", "tiny", "--epochs", "8", "--batch", "16", "--sizes", "48", "--learning-rate", "3e-3"]
    assert train.main(["--data", str(data), "--out", str(out), *options]) == 0
    return out


@pytest.fixture(scope="module")
def student(data: Path, teacher: Path) -> Path:
    out = data / "student"
    options = ["--preset", "tiny", "--epochs", "6", "--batch", "16", "--sizes", "48", "--learning-rate", "3e-3"]
    command = ["--teacher", str(teacher), "--data", str(data), "--out", str(out), *options]
    assert distil.main(command) == 0
    return out


def test_a_teacher_learns_to_find_pictures_and_their_names(teacher: Path) -> None:
    found = load_json(teacher / "checkpoint.json")["training"]["validation"]
    assert found["r@1"] == 100
    assert found["image_r@1"] >= 75  # chance is 25


def test_a_student_learns_from_its_teacher_alone(student: Path) -> None:
    checkpoint = load_json(student / "checkpoint.json")
    assert checkpoint["config"]["run"]["objective"]["terms"][0] == ["intra_tch_stu_info_nce", 1.0]
    found = checkpoint["training"]["validation"]
    assert found["r@1"] == 100
    assert found["image_r@1"] >= 60


def test_a_student_can_be_trained_further(data: Path, student: Path, tmp_path: Path) -> None:
    options = ["--start", str(student), "--epochs", "2", "--batch", "16", "--sizes", "48", "--learning-rate", "3e-4"]
    assert train.main(["--data", str(data), "--out", str(tmp_path), *options]) == 0
    checkpoint = load_json(tmp_path / "checkpoint.json")
    assert checkpoint["config"]["run"]["start"]["kind"] == "distilled"
    assert checkpoint["training"]["validation"]["r@1"] == 100  # two epochs from nothing do not get there
    assert "Then trained further" in export_spec(tmp_path, data).card


def test_a_finished_run_is_not_repeated(data: Path, teacher: Path, capsys: pytest.CaptureFixture) -> None:
    before = (teacher / "model.pt").read_bytes()
    options = ["--preset", "tiny", "--epochs", "8", "--batch", "16", "--sizes", "48", "--learning-rate", "3e-3"]
    assert train.main(["--data", str(data), "--out", str(teacher), *options]) == 0
    assert (teacher / "model.pt").read_bytes() == before
    assert "r@1 100.00" in capsys.readouterr().out


def test_the_ablation_prints_the_papers_table(
    data: Path, teacher: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    command = ["--teacher", str(teacher), "--data", str(data), "--out", str(tmp_path), "--epochs", "1"]
    command += ["--cached", "1", "--cells", "inter_tch_stu_sym_kl", "--seeds", "1", "2"]
    assert ablation.main(command) == 0
    printed = capsys.readouterr().out
    rows = {line.split("|")[1].strip(): line.split("|")[2:-1] for line in printed.splitlines() if "|" in line}
    assert list(rows["learning type"]) == [f" {name} " for name in ablation.COLUMNS]
    baseline = [load_json(tmp_path / f"motis-seed{seed}" / "scores.json") for seed in (1, 2)]
    mean = sum(run["r@1"] for run in baseline) / 2
    assert rows["intra_tch_stu"][0].strip().startswith(f"{mean:.1f}/")
    assert rows["inter_tch_stu"][-1].strip() and not rows["inter_tch_stu"][0].strip()
    times = [(tmp_path / "motis-seed1" / "scores.json").stat().st_mtime_ns]
    assert ablation.main(command) == 0  # nothing is trained twice
    assert [(tmp_path / "motis-seed1" / "scores.json").stat().st_mtime_ns] == times
    assert capsys.readouterr().out == printed


def test_the_bundle_finds_pictures_by_words(data: Path, student: Path, tmp_path: Path) -> None:
    from export.pack import export

    report = export(export_spec(student, data), tmp_path / "shapes.edge")
    metrics = {stage["stage"]: stage["metrics"] for stage in report["stages"]}
    assert metrics["onnx int8"]["r@1"] == 100
    assert metrics["torch fp32"]["rows"] == 24
    with edge_sdk.load(tmp_path / "shapes.edge") as task:
        assert task.selftest() > 0
        names = task.bundle.manifest.pipeline.section("gallery").texts("names")
        assert sorted(names) == ["blue-ball", "green-box", "red-ball", "yellow-box"]
        for name in names:
            assert task.example(name.replace("-", " "))["hits"][0]["path"] == f"bundle:{name}"
        report = json.loads(bytes(task.bundle.read("report.json")))
    assert report["training"]["kind"] == "distilled"


def test_a_spec_without_data_says_what_to_do(student: Path) -> None:
    with pytest.raises(ValueError, match="--data"):
        export_spec(student, None)
