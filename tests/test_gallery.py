"""Indexes of folders: what a build does to every kind of change, damage and interruption; the page."""

from __future__ import annotations

import base64
import html.parser
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

import edge_sdk
from edge_sdk import InputError, gallery
from edge_sdk.cli import main
from edge_sdk.cli.progress import Progress
from edge_sdk.errors import VectorIndexError
from edge_sdk.index import VectorIndex
from edge_sdk.page import page
from edge_sdk.tasks.retriever import Retriever
from tests.conftest import child_environment
from tests.data.tiny_retriever import COLOURS, build, repack, vector

pytest.importorskip("onnx")
Image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("gallery") / "tiny-colours.edge")


@pytest.fixture(scope="module")
def retriever(bundle: Path) -> Retriever:
    return edge_sdk.load(bundle)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture of each colour, in folders."""
    folder = tmp_path / "pictures"
    for i, name in enumerate(COLOURS):
        save(folder / f"part {i % 3}" / f"{name}.png", name)
    return folder


def save(path: Path, colour: str, size: tuple[int, int] = (6, 5)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, COLOURS[colour]).save(path)


def numbers(report) -> dict[str, int]:
    names = ("rows", "added", "updated", "removed", "unchanged", "skipped")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def best(retriever: Retriever, out: Path, query: str, top: int = 1) -> list[str]:
    with VectorIndex.open(out, retriever.bundle) as index:
        return [Path(hit.path).name for hit in retriever.search_index(index, query, top)]


# --- building


@pytest.mark.parametrize("threads", [1, 3])
def test_every_picture_is_found_by_its_colour(retriever, folder, tmp_path, threads) -> None:
    out = tmp_path / "i.evi"
    for i in range(40):  # several blocks
        save(folder / "many" / f"{i:02}.jpg", "black")
    report = gallery.build(retriever, folder, out, threads=threads)
    assert numbers(report) == {"rows": 47, "added": 47} and report.problems == []
    for name in COLOURS:
        if name != "black":
            assert best(retriever, out, name) == [f"{name}.png"]
    with VectorIndex.open(out, retriever.bundle) as index:
        assert list(index) == sorted(str(path) for path in folder.rglob("*") if path.is_file())
        hit = retriever.search_index(index, "red", 1)[0]
        assert hit.path == str(folder / "part 0" / "red.png") and hit.score == pytest.approx(1, abs=0.02)


def test_only_what_changed_is_encoded(retriever, folder, tmp_path, monkeypatch) -> None:
    out = tmp_path / "i.evi"
    gallery.build(retriever, folder, out)
    decoded = []
    original = gallery._encode
    monkeypatch.setattr(gallery, "_encode", lambda task, paths: decoded.extend(paths) or original(task, paths))
    before = out.stat()
    assert numbers(gallery.build(retriever, folder, out)) == {"rows": 7, "unchanged": 7}
    assert decoded == [] and out.stat().st_ino == before.st_ino, "the file was written for nothing"
    red, blue, new = folder / "part 0" / "red.png", folder / "part 2" / "blue.png", folder / "new.webp"
    save(red, "cyan")
    os.utime(red, ns=(1, 1))  # the size may be the same
    blue.unlink()
    save(new, "yellow")
    report = gallery.build(retriever, folder, out)
    assert numbers(report) == {"rows": 7, "added": 1, "updated": 1, "removed": 1, "unchanged": 5}
    assert decoded == [str(new), str(red)]
    assert set(best(retriever, out, "cyan", 2)) == {"red.png", "cyan.png"}
    with VectorIndex.open(out) as index:
        assert str(blue) not in index


def test_a_file_of_the_same_size_and_a_moved_folder(retriever, folder, tmp_path) -> None:
    out = tmp_path / "i.evi"
    save(folder / "a.bmp", "red")
    gallery.build(retriever, folder, out)
    save(folder / "a.bmp", "green")  # BMP: as many bytes
    os.utime(folder / "a.bmp", ns=(5, 5))
    assert gallery.build(retriever, folder, out).updated == 1
    (folder / "part 0").rename(folder / "elsewhere")
    report = gallery.build(retriever, folder, out)
    assert report.added == report.removed == 3


def test_several_folders_in_one_index(retriever, folder, tmp_path) -> None:
    out, other = tmp_path / "i.evi", tmp_path / "pictures too"  # a name that begins alike
    save(other / "x.png", "red")
    gallery.build(retriever, folder, out)
    assert numbers(gallery.build(retriever, other, out)) == {"rows": 8, "added": 1}
    shutil.rmtree(folder / "part 0")
    assert numbers(gallery.build(retriever, folder, out)) == {"rows": 5, "removed": 3, "unchanged": 4}
    assert best(retriever, out, "red") == ["x.png"]


def test_adding_and_removing_by_hand(retriever, folder, tmp_path) -> None:
    out, path = tmp_path / "i.evi", str(tmp_path / "extra.png")
    save(Path(path), "blue")
    gallery.build(retriever, folder / "part 0", out)
    with VectorIndex.open(out, retriever.bundle) as index:
        index.update([path], retriever.vectors([path]))
        index.remove([str(folder / "part 0" / "red.png")])
        index.save(out)
    assert best(retriever, out, "blue") == ["extra.png"]
    with VectorIndex.open(out) as index:
        assert len(index) == 3


def test_progress(retriever, folder, tmp_path) -> None:
    seen = []
    gallery.build(retriever, folder, tmp_path / "i.evi", progress=lambda *done: seen.append(done))
    assert seen[:2] == [(0, 0), (0, 7)] and seen[-1] == (7, 7)


# --- what cannot be read


def test_damaged_files_are_counted_and_skipped(retriever, folder, tmp_path) -> None:
    out = tmp_path / "i.evi"
    whole = (folder / "part 0" / "red.png").read_bytes()
    bad = {"truncated.png": whole[:-30], "empty.jpg": b"", "text.webp": b"no picture", "huge.png": bomb()}
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    save(folder / "one pixel.png", "red", (1, 1))
    (folder / "notes.txt").write_text("not a picture, and not named like one")
    report = gallery.build(retriever, folder, out)
    assert numbers(report) == {"rows": 8, "added": 8, "skipped": 4} and report.other_files == 1
    assert {Path(path).name for path, _ in report.problems} == set(bad)
    assert all(path in message for path, message in report.problems)
    # They are looked at again, and are there once they are whole.
    (folder / "truncated.png").write_bytes(whole)
    assert numbers(gallery.build(retriever, folder, out)) == {"rows": 9, "added": 1, "unchanged": 8, "skipped": 3}


def bomb() -> bytes:
    """A 30,000 x 30,000 PNG, as far as its header says."""
    file = io.BytesIO()
    Image.new("1", (1, 1)).save(file, "PNG")
    data = bytearray(file.getvalue())
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def test_a_picture_that_is_damaged_later_is_found_no_more(retriever, folder, tmp_path) -> None:
    out, path = tmp_path / "i.evi", folder / "part 0" / "red.png"
    gallery.build(retriever, folder, out)
    path.write_bytes(b"gone bad")
    report = gallery.build(retriever, folder, out)
    assert numbers(report) == {"rows": 6, "removed": 1, "unchanged": 6, "skipped": 1}
    assert "red.png" not in best(retriever, out, "red", 10)


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
def test_links_in_circles_and_to_nowhere(retriever, folder, tmp_path) -> None:
    (folder / "part 0" / "up").symlink_to(folder)
    (folder / "a").symlink_to(folder / "b")
    (folder / "b").symlink_to(folder / "a")
    (folder / "self.jpg").symlink_to(folder / "self.jpg")
    (folder / "nowhere.jpg").symlink_to(folder / "missing.jpg")
    (folder / "folder.jpg").symlink_to(folder / "part 1")
    (folder / "linked.png").symlink_to(folder / "part 0" / "red.png")
    os.mkfifo(folder / "pipe.jpg")
    report = gallery.build(retriever, folder, tmp_path / "i.evi")
    assert numbers(report) == {"rows": 8, "added": 8, "skipped": 3} and report.folder_links == 2
    assert {Path(path).name for path, _ in report.problems} == {"self.jpg", "nowhere.jpg", "pipe.jpg"}


def test_a_folder_that_cannot_be_listed_keeps_its_pictures(retriever, folder, tmp_path, monkeypatch) -> None:
    """Permissions do not stop root, so the system's refusal is simulated."""
    out, closed = tmp_path / "i.evi", str(folder / "part 1")
    gallery.build(retriever, folder, out)
    scandir = os.scandir

    def refuse(path):
        if str(path) == closed:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(gallery.os, "scandir", refuse)
    report = gallery.build(retriever, folder, out)
    assert numbers(report) == {"rows": 7, "unchanged": 5, "skipped": 1}
    assert report.problems == [(closed, "cannot be listed: Permission denied")]


def test_many_names_and_deep_folders(retriever, tmp_path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(3000):
        (folder / f"{i}.txt").touch()
    deep = folder.joinpath(*["d"] * 150)
    save(deep / "x.png", "red")
    report = gallery.build(retriever, folder, tmp_path / "i.evi")
    assert (report.rows, report.other_files) == (1, 3000)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_names_that_are_no_utf8(retriever, tmp_path, capsys) -> None:
    folder, out = tmp_path / "p", tmp_path / "i.evi"
    save(folder / "x.png", "red")
    os.rename(folder / "x.png", os.path.join(os.fsencode(folder), b"\xff\xe9.png"))
    assert gallery.build(retriever, folder, out).rows == 1
    assert numbers(gallery.build(retriever, folder, out)) == {"rows": 1, "unchanged": 1}
    arguments = ["search", str(out), "red", "--bundle", str(retriever.bundle.path)]
    assert main([*arguments, "--json", "--html", str(tmp_path / "o.html")]) == 0
    (hit,) = json.loads(capsys.readouterr().out)["hits"]
    assert os.fsencode(hit["path"]).endswith(b"\xff\xe9.png") and Path(hit["path"]).exists()
    assert "data:image/jpeg;base64," in (tmp_path / "o.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("source", ["missing", "file.png"])
def test_what_is_no_folder(retriever, tmp_path, source) -> None:
    save(tmp_path / "file.png", "red")
    with pytest.raises(InputError) as caught:
        gallery.build(retriever, tmp_path / source, tmp_path / "i.evi")
    assert caught.value.code == "index_folder" and not (tmp_path / "i.evi").exists()


# --- other bundles, damaged files, interruptions


def test_an_index_of_another_bundle_is_refused_and_left_alone(retriever, bundle, folder, tmp_path) -> None:
    out = tmp_path / "i.evi"
    gallery.build(retriever, folder, out)
    before = out.read_bytes()
    newer = build(tmp_path / "newer.edge", version="1.0.1")
    other_model = repack(bundle, tmp_path / "other.edge", image={"height": 4, "width": 4, "resize": "box", "crop": "center"})
    for path in (newer, other_model):
        with edge_sdk.load(path) as task:
            for call in (lambda: gallery.build(task, folder, out), lambda: VectorIndex.open(out, task.bundle)):
                with pytest.raises(VectorIndexError) as caught:
                    call()
                assert caught.value.code == "index_other_bundle" and "build the index again" in caught.value.hint
    assert out.read_bytes() == before


def test_a_file_that_is_no_index_is_not_overwritten(retriever, folder) -> None:
    out = folder / "part 0" / "red.png"
    before = out.read_bytes()
    with pytest.raises(VectorIndexError):
        gallery.build(retriever, folder, out)
    assert out.read_bytes() == before


BUILD = """
import sys
import edge_sdk
from edge_sdk import gallery
gallery.SAVE_SECONDS = gallery.SAVE_SHARE = 0  # save after every block
bundle, folder, out = sys.argv[1:]
with edge_sdk.load(bundle) as task:
    report = gallery.build(task, folder, out, threads=2, progress=lambda done, total: print(done, flush=True))
print("added", report.added)
"""


def start_build(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, *map(str, arguments)],
        env=child_environment({}), stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip


def wait_for(child: subprocess.Popen[str], done: int) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip().isdigit() and int(line) >= done:
            return
    raise AssertionError("the build ended before it was stopped")


def test_a_killed_build_leaves_an_index_and_the_next_goes_on(retriever, bundle, tmp_path) -> None:
    folder, out = tmp_path / "pictures", tmp_path / "i.evi"
    names = [name for name in COLOURS for _ in range(90)]
    for i, name in enumerate(names):
        save(folder / f"{i:03} {name}.png", name, (40, 40))
    chance = random.Random(1)
    rows = 0
    for stop_at in (0, 8, 160):
        child = start_build(bundle, folder, out)
        wait_for(child, stop_at)
        time.sleep(chance.uniform(0, 0.02))
        child.send_signal(signal.SIGKILL)
        child.wait()
        with VectorIndex.open(out, retriever.bundle) as index:
            assert rows <= len(index) < len(names)
            rows = len(index)
            for path in index:
                expected = vector(Path(path).stem.split()[1])
                assert index.vector(path) @ expected > 0.99
    assert rows >= 150
    child = start_build(bundle, folder, out)
    output = child.communicate()[0]
    assert output.endswith(f"added {len(names) - rows}\n")
    with VectorIndex.open(out, retriever.bundle) as index:
        assert len(index) == len(names)


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_keeps_what_is_done(retriever, bundle, tmp_path) -> None:
    folder, out = tmp_path / "pictures", tmp_path / "i.evi"
    for i in range(400):
        save(folder / f"{i}.png", "red", (40, 40))
    slow = BUILD.replace("= gallery.SAVE_SHARE = 0", "= 1e9")
    child = subprocess.Popen(
        [sys.executable, "-c", slow, str(bundle), str(folder), str(out)],
        env=child_environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    wait_for(child, 80)
    child.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in child.communicate()[1]
    with VectorIndex.open(out, retriever.bundle) as index:
        assert 80 <= len(index) < 400


def test_leftovers_of_killed_saves_go_after_a_while(retriever, folder, tmp_path) -> None:
    out = tmp_path / "i.evi"
    old, young, others = (tmp_path / name for name in (".i.evi.1.0123abcd.tmp", ".i.evi.2.0123abcd.tmp", ".j.evi.1.0123abcd.tmp"))
    for path in (old, young, others):
        path.touch()
    for path in (old, others):
        os.utime(path, (0, 0))
    gallery.build(retriever, folder, out)
    assert [path.exists() for path in (old, young, others)] == [False, True, True]


def test_searches_go_on_while_an_index_is_built_anew(retriever, folder, tmp_path) -> None:
    out = tmp_path / "i.evi"
    gallery.build(retriever, folder, out)
    with VectorIndex.open(out, retriever.bundle) as index:
        shutil.rmtree(folder / "part 0")
        gallery.build(retriever, folder, out)
        assert Path(retriever.search_index(index, "red", 1)[0].path).name == "red.png"


# --- the command line and the page


@pytest.fixture
def cli(bundle, monkeypatch, capfd):
    monkeypatch.setenv("EDGE_SDK_ZOO", str(bundle.parent))

    def call(*argv: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in argv])
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    return call


def test_index_and_search(cli, folder, tmp_path) -> None:
    out = tmp_path / "i.evi"
    (folder / "broken.jpg").write_bytes(b"broken")
    status, printed, err = cli("index", folder, "--bundle", "tiny-colours", "--out", out, "--threads", 2, "--json")
    found = json.loads(printed)
    assert status == 0 and err.count("\n") == 1
    assert err.startswith(f"skipped: {folder / 'broken.jpg'} cannot be decoded")
    assert (found["index"], found["rows"], found["added"], found["skipped"]) == (str(out), 7, 7, 1)
    status, printed, err = cli("search", out, "--bundle", "tiny-colours", "red", "--top", 2, "--json")
    found = json.loads(printed)
    assert (status, err, list(found), found["query"]) == (0, "", ["query", "hits"], "red")
    assert [list(hit) for hit in found["hits"]] == [["path", "score"]] * 2
    assert found["hits"][0]["path"] == str(folder / "part 0" / "red.png")
    assert found["hits"][0]["score"] > found["hits"][1]["score"]
    query = folder / "part 1" / "green.png"
    found = json.loads(cli("search", out, query, "--bundle", "tiny-colours", "--json")[1])
    assert found["query"] == found["hits"][0]["path"] == str(query) and len(found["hits"]) == 7
    assert "red.png" in cli("search", out, "red", "--bundle", "tiny-colours")[1]


def test_stderr_has_one_line_for_an_odd_picture(bundle, tmp_path) -> None:
    """Pillow would add a warning of its own."""
    save(tmp_path / "p" / "red.png", "red")
    Image.new("1", (10_000, 10_000)).save(tmp_path / "p" / "large.png")
    done = subprocess.run(
        [sys.executable, "-m", "edge_sdk", "index", tmp_path / "p", "--bundle", bundle, "--out", tmp_path / "i"],
        env=child_environment({}), capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert re.fullmatch(r"skipped: \S+large.png is too large: it has 10000 x 10000 pixels, .*\n", done.stderr)


@pytest.mark.parametrize("argv,code", [
    (["search", "OUT", "red", "--bundle", "tiny-colours", "--top", "0"], "input_top"),
    (["search", "missing.evi", "red", "--bundle", "tiny-colours"], "index_not_found"),
    (["search", "OUT", "missing.jpg", "--bundle", "tiny-colours"], "image_not_found"),
    (["search", "OUT", "", "--bundle", "tiny-colours"], "input_empty"),
    (["search", "OUT", "red"], "usage"),
    (["search", "OUT", "red", "--bundle", "tiny-colours", "--html", "/missing/o.html"], "io"),
    (["index", "missing", "--bundle", "tiny-colours", "--out", "OUT"], "index_folder"),
    (["index", "FOLDER", "--bundle", "tiny-colours", "--out", "/missing/i"], "index_write"),
    (["index", "FOLDER", "--bundle", "tiny-colours", "--out", "OUT", "--threads", "0"], "input_threads"),
    (["index", "FOLDER", "--out", "OUT"], "usage"),
])  # fmt: skip
def test_errors(cli, retriever, folder, tmp_path, argv, code) -> None:
    out = tmp_path / "i.evi"
    gallery.build(retriever, folder, out)
    status, printed, err = cli(*[{"OUT": out, "FOLDER": folder}.get(part, part) for part in argv])
    assert (status, printed) == (2, "")
    error, hint = err.splitlines()
    assert error.startswith(f"error[{code}]: ") and hint.startswith("hint: ")


def test_the_bar() -> None:
    assert Progress.line(0, 0, 3) == "looking for what is new"
    assert Progress.line(30, 60, 10) == f"[{'#' * 15}{'.' * 15}] 30/60  3 a second, 0:10 left"
    assert Progress.line(60, 60, 90).endswith("0:00 left") and "/" in Progress.line(0, 60, 0)


AUDIT = """
import os, sys
seen = []
def hook(event, arguments):
    if event.startswith("socket."):
        seen.append(event)
    if event == "open" and isinstance(arguments[0], str) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        seen.append(str(arguments[0]))
    if event in ("os.mkdir", "os.remove", "subprocess.Popen", "os.system", "pickle.find_class"):
        seen.append(event + str(arguments[0]))
sys.addaudithook(hook)
from edge_sdk.cli import main
bundle, folder, out, page = sys.argv[1:]
status = main(["index", folder, "--bundle", bundle, "--out", out])
status += main(["search", out, "red", "--bundle", bundle, "--html", page])
print(status, *seen, sep="\\n")
"""


def test_no_socket_and_no_other_file(bundle, folder, tmp_path) -> None:
    out, written = tmp_path / "i.evi", tmp_path / "o.html"
    done = subprocess.run(
        [sys.executable, "-c", AUDIT, *map(str, (bundle, folder, out, written))],
        env=child_environment({"PYTHONDONTWRITEBYTECODE": "1"}), capture_output=True, encoding="utf-8",
    )  # fmt: skip
    status, *seen = done.stdout.split("hits\n")[1].split("\n\n")[1].splitlines()
    assert status == "0", done.stderr
    assert len(seen) == 3, "index twice, once empty, and the page"
    assert all(re.fullmatch(rf"{re.escape(str(tmp_path))}/\.(i\.evi|o\.html)\.\S+\.tmp", path) for path in seen), seen


class Reader(html.parser.HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_shows_query_pictures_and_scores(cli, folder, tmp_path) -> None:
    out, written = tmp_path / "i.evi", tmp_path / "o.html"
    cli("index", folder, "--bundle", "tiny-colours", "--out", out)
    cli("search", out, "red", "--bundle", "tiny-colours", "--top", 3, "--html", written)
    text = written.read_text(encoding="utf-8")
    found = Reader(text)
    sources = [image["src"] for image in found.all("img")]
    assert len(sources) == 3 and all("alt" in image for image in found.all("img"))
    data = base64.b64decode(sources[0].removeprefix("data:image/jpeg;base64,"))
    shown = np.asarray(Image.open(io.BytesIO(data)), int)
    assert np.abs(shown - COLOURS["red"]).max() < 12
    assert "red.png" in found.text and "1.000" in found.text and "nearest of 7" in found.text
    assert re.search(r"<h1>.*red.*</h1>", text) and found.all("html") == [{"lang": "en"}]
    # A picture as the query is shown, too.
    cli("search", out, folder / "part 1" / "green.png", "--bundle", "tiny-colours", "--top", 3, "--html", written)
    assert len(Reader(written.read_text(encoding="utf-8")).all("img")) == 4


def test_the_page_needs_nothing_else_and_runs_nothing(folder) -> None:
    text = page("red", [{"path": str(folder / "part 0" / "red.png"), "score": 0.5}], "one")
    found = Reader(text)
    for tag, attributes in found.tags:
        assert tag not in ("script", "link", "iframe", "object", "base", "form")
        assert (attributes.get("src") or "data:").startswith("data:")
        assert (attributes.get("href") or "file:").startswith("file:")
        assert not any(name.startswith("on") for name in attributes)
    assert "http:" not in text and "https:" not in text and "url(" not in text and "@import" not in text
    assert any("default-src 'none'" in (meta.get("content") or "") for meta in found.all("meta"))


def test_names_and_queries_are_no_markup(tmp_path) -> None:
    nasty = '<script>alert(1)</script>"\'&\u202e\udcff.png'
    hits = [{"path": str(tmp_path / nasty), "score": 0.25}, {"text": nasty, "score": -0.5}]
    found = Reader(page(nasty.removesuffix(".png"), hits, nasty))
    assert found.all("script") == [] and found.text.count("alert(1)") >= 4
    assert found.text.count("cannot be read any more") == 1


def test_an_empty_index_has_a_page() -> None:
    assert "Nothing was found" in page("red", [], "none")
