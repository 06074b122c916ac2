"""Create the README's picture from the demo, with a scripted reviewer in Chromium. Run it with `make pictures`.

    PYTHONPATH=tests python docs/make_pictures.py --label-studio-env DIR

Uses the page object of the end-to-end tests, so that both click the same elements.
"""

from __future__ import annotations

import argparse
import base64
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from playwright.sync_api import Browser, expect, sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI

from editor import PATIENCE_MS, Editor, launch, signed_in_page
from review_copilot.demo.run_demo import Demo, demo, wait_for_log
from review_copilot.domain.geometry import Box
from review_copilot.domain.override import LoggedOverride, Subject
from review_copilot.reports.override_table import to_table

IMAGES = Path(__file__).parent / "images"
PHOTOGRAPH = "photo-10.jpg"
"""The photo with a date stamp: a box that everyone can judge quickly."""

FLARES = Box(0.1, 0.78, 0.26, 0.2)
"""The starbursts around the lamps at the lower left, which no criterion of the guideline covers."""

OWN_TEXT = 'An orange date stamp, "2004 08 17", lies over the foot of the right tower, which belongs to the subject.'
SHARPER = 2
"""Device pixels per CSS pixel in screenshots of the editor."""

LOWER_PART = 0.54
"""Share of the photo that the picture shows, from its lower edge."""

NOWHERE = (1200, 700)
"""An empty position on the screen, in px."""

WIDTH_PX = 1400
TABLE_COLUMNS = 112

PAGE = Template("""<style>
body { margin: 0; background: #fff; font: 17px/1.4 "DejaVu Sans", Arial, sans-serif; color: #1f2430; }
#all { width: 1400px; box-sizing: border-box; padding: 18px; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 22px; }
h2 { margin: 0 0 8px; font-size: 22px; }
.photo { width: 100%; display: block; border-radius: 8px; }
.row { display: flex; gap: 16px; margin-top: 12px; align-items: flex-start; }
.card { width: 440px; display: block; }
.said { flex: 1; font-size: 17px; }
pre { margin: 6px 0 0; padding: 12px 18px; border-radius: 8px; background: #0c0c0c; color: #d9d9d9;
  font: 18px/1.25 "DejaVu Sans Mono", monospace; }
h2.log { margin-top: 16px; }
</style><div id="all"><div class="two">
<div><h2>Draft</h2><img class="photo" src="$drafted_photo">
<div class="row"><img class="card" src="$drafted_card"><div class="said">A box, a criterion of the written guideline, a
severity, and an explanation with the measurement.</div></div></div>
<div><h2>Correction</h2><img class="photo" src="$decided_photo">
<div class="row"><img class="card" src="$decided_card"><div class="said">Severity lowered, text rewritten, a reason
chosen; and a box for a defect that the guideline does not cover yet.</div></div></div>
</div><h2 class="log">Override log</h2>$table</div>""")


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reviewer sees, as PNG data URIs.

    Attributes:
        photo: The lower part of the photo with its boxes.
        card: The fields of the selected region.
    """

    photo: str
    card: str


def main() -> None:
    """Create all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--label-studio-env", type=Path, default=Path(".label-studio"))
    environment: Path = parser.parse_args().label_studio_env
    IMAGES.mkdir(exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    console = Console()
    with (
        tempfile.TemporaryDirectory() as folder,
        demo(home=environment, folder=Path(folder), console=console) as up,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        drafted, decided = _review(browser, up)
        rows = [row for row in wait_for_log(up, annotations=1) if row.override.subject is Subject.REGION]
        page = PAGE.substitute(
            drafted_photo=drafted.photo,
            drafted_card=drafted.card,
            decided_photo=decided.photo,
            decided_card=decided.card,
            table=_table(rows),
        )
        file = IMAGES / "suggestion-and-correction.png"
        _photograph(browser, page, file)
        browser.close()
    console.print(f"{file}: {file.stat().st_size // 1024} KB")


def _review(browser: Browser, up: Demo) -> tuple[Sight, Sight]:
    """Correct the draft of one photo and submit it; returns what the reviewer saw before and after."""
    account = up.server.account
    with signed_in_page(browser, up.server.url, account, sharper=SHARPER) as page:
        editor = Editor(page, url=up.server.url, project_id=up.project_id)
        while PHOTOGRAPH.removesuffix(".jpg") not in editor.image_url:
            editor.postpone()
        stamp = max(editor.wait_for_regions(bool), key=lambda region: region.box.right)
        editor.select(stamp.id)
        before = _sight(editor)
        flares = editor.draw(FLARES, hotkey="Alt+0")
        editor.select(flares.id)
        editor.choose("minor")
        editor.select(stamp.id)
        editor.choose("minor")
        editor.rewrite("rationale", OWN_TEXT)
        editor.choose("wrong severity")
        after = _sight(editor)
        editor.submit()
    return before, after


def _sight(editor: Editor) -> Sight:
    editor.page.mouse.move(*NOWHERE)
    expect(editor.page.get_by_role("tooltip")).to_have_count(0)
    canvas = editor.page.locator(".konvajs-content").first.bounding_box()
    assert canvas is not None  # noqa: S101  # it was clicked a moment ago
    top = canvas["y"] + (1 - LOWER_PART) * canvas["height"]
    photo = editor.page.screenshot(
        clip={"x": canvas["x"], "y": top, "width": canvas["width"], "height": LOWER_PART * canvas["height"]}
    )
    card = editor.page.locator(".rc-group", has=editor.page.locator(".rc-rationale")).screenshot()
    return Sight(_data_uri(photo), _data_uri(card))


def _table(rows: Sequence[LoggedOverride]) -> str:
    """The table of the log, as the terminal shows it."""
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=TABLE_COLUMNS, file=nowhere, force_terminal=True)
        console.print(to_table(rows))
        return console.export_html(theme=MONOKAI, inline_styles=True, code_format="<pre>{code}</pre>")


def _photograph(browser: Browser, page_source: str, file: Path) -> None:
    page = browser.new_page(viewport={"width": WIDTH_PX, "height": 1000})
    page.set_content(page_source)
    page.locator("#all").screenshot(path=file)
    page.close()


def _data_uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


if __name__ == "__main__":
    main()
