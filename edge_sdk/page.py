"""Search results as one HTML file that needs nothing else: pictures lie in it as data URIs."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_sdk.errors import InputError
from edge_sdk.files import atomic_write
from edge_sdk.images import SUFFIXES, load_image

THUMBNAIL = 320
"""Longest side in pixels: twice as fine as shown, for dense screens."""
QUALITY = 80

# No scripts, and nothing may be loaded from elsewhere: the page shows names of any files.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --line: #d5d5da; --soft: #5c5c66; --ground: #f4f4f6; --card: #fff; --mark: #2f6fde; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3a3a42; --soft: #a9a9b4; --ground: #17171a; --card: #222227; --mark: #7aa7f7; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 80rem; padding: 2rem 1.25rem; background: var(--ground); font: 1rem/1.45 system-ui, sans-serif; }
header { display: flex; gap: 1.25rem; align-items: center; margin-bottom: 1.75rem; }
header img { width: 7rem; height: 7rem; object-fit: contain; border-radius: .6rem; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
header p { margin: .35rem 0 0; color: var(--soft); }
ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: 1rem; margin: 0; padding: 0; list-style: none; }
li { display: flex; flex-direction: column; overflow: hidden; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
li img, .missing { width: 100%; height: auto; aspect-ratio: 1; object-fit: contain; }
.missing { display: grid; place-items: center; padding: 1rem; margin: 0; color: var(--soft); text-align: center; font-size: .875rem; }
.about { padding: .6rem .75rem .75rem; border-top: 1px solid var(--line); flex: 1; display: flex; flex-direction: column; justify-content: space-between; }
.name { margin: 0; font-size: .875rem; overflow-wrap: anywhere; }
.name a { color: inherit; text-decoration-color: var(--line); text-underline-offset: .2em; }
.name a:hover { text-decoration-color: currentColor; }
a:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; border-radius: .2rem; }
.score { display: flex; align-items: center; gap: .5rem; margin: .35rem 0 0; font-size: .8125rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.bar { flex: 1; height: .3rem; border-radius: .15rem; background: var(--line); overflow: hidden; }
.bar span { display: block; height: 100%; background: var(--mark); }
@media print { body { background: none; } li { break-inside: avoid; } }
"""


def write_page(
    path: str | os.PathLike[str], query: str, hits: Sequence[Mapping[str, Any]], summary: str
) -> None:
    """Write the page of one search, in one step.

    Args:
        query: the text or the path of a picture that was searched for.
        hits: objects with `score` and either `path`, of a picture, or `text`; best first.
        summary: a line under the query.

    A picture that is gone or cannot be read is named and not shown. Raises OSError, and EdgeError
    (`dependency_missing`) where Pillow is not installed.
    """
    with atomic_write(path) as file:
        file.write(page(query, hits, summary).encode("utf-8"))


def page(query: str, hits: Sequence[Mapping[str, Any]], summary: str) -> str:
    """The HTML text; see `write_page`."""
    best = max((hit["score"] for hit in hits), default=1.0)
    items = "\n".join(_item(rank, hit, best) for rank, hit in enumerate(hits, 1))
    # The role: Safari takes a list without marks for none.
    results = f'<ol role="list">{items}</ol>' if hits else "<p>Nothing was found: the index is empty.</p>"
    picture, shown = "", query
    if query.lower().endswith(SUFFIXES) and os.path.isfile(query):
        picture, shown = _picture(query, "the picture that was searched for"), os.path.basename(query)
    title = _escape(shown)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="referrer" content="no-referrer">
<title>{title} · search</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
{picture}
<div>
<h1><bdi>{title}</bdi></h1>
<p>{_escape(summary)}</p>
</div>
</header>
<main>
{results}
</main>
</body>
</html>
"""


def _item(rank: int, hit: Mapping[str, Any], best: float) -> str:
    score = hit["score"]
    if "path" in hit:
        path = hit["path"]
        name = _escape(os.path.basename(path))
        picture = _picture(path, "")
        label = f'<a href="{_escape(_uri(path))}" title="{_escape(path)}"><bdi>{name}</bdi></a>'
    else:
        picture, label = "", f"<bdi>{_escape(hit['text'])}</bdi>"
    share = 100 * max(score, 0) / best if best > 0 else 0
    return f"""<li>
{picture}
<div class="about">
<p class="name">{rank}. {label}</p>
<p class="score"><span class="bar" aria-hidden="true"><span style="width:{share:.0f}%"></span></span>{score:.3f}</p>
</div>
</li>"""


def _picture(path: str, alt: str) -> str:
    try:
        image = load_image(path, at_least=2 * THUMBNAIL)
    except InputError:
        return '<p class="missing">This picture cannot be read any more.</p>'
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img alt="{_escape(alt)}" src="data:image/jpeg;base64,{data}" width="{image.width}" height="{image.height}">'


def _uri(path: str) -> str:
    return Path(os.path.abspath(path)).as_uri()


def _escape(text: str) -> str:
    """For text and attributes; bytes of names that are no UTF-8 become U+FFFD."""
    return html.escape(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
