"""Label Studio's pages as a reviewer uses them: mouse, keys, and what is on the screen.

Acts through real input only. The editor's own state (`window.Htx`) is read to know where a box stands on the screen
and when an action has taken effect, never to change anything.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, Response, expect

from review_copilot.demo.label_studio_server import Account
from review_copilot.domain.geometry import Box

SCREEN = (1440, 900)
"""Width and height in px for which the label config is laid out."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_MS = 60_000
"""A crowded machine may need half a minute for a page."""

_REGIONS = """() => {
  const chosen = window.Htx?.annotationStore?.selected;
  if (!chosen) return [];
  const ask = chosen.suggestions ? [...chosen.suggestions.values()] : [];
  const row = (r, offered) => ({
    id: r.cleanId, label: (r.labels ?? [])[0] ?? "", offered, box: [r.x, r.y, r.width, r.height].map(v => v / 100),
  });
  const drawn = r => r.type === "rectangleregion";
  return [...chosen.regions.filter(drawn).map(r => row(r, false)), ...ask.filter(drawn).map(r => row(r, true))];
}"""
_SELECTED = "() => window.Htx?.annotationStore?.selected?.highlightedNode?.cleanId ?? ''"
_IMAGE_IS_READY = "() => !!window.Htx?.annotationStore?.selected?.names?.get('image')?.imageIsLoaded"
_STAGE = (
    "() => { const i = window.Htx.annotationStore.selected.names.get('image'); return [i.stageWidth, i.stageHeight] }"
)
_IMAGE_URL = "() => window.Htx.annotationStore.selected.names.get('image').parsedValue"
_TASK = "() => window.Htx?.task?.id ?? 0"


@dataclass(frozen=True, slots=True)
class DrawnRegion:
    """A box in the editor.

    Attributes:
        id: Region id, as it will be submitted.
        label: Its label; empty for one without.
        box: Where it stands.
        offered: A dashed suggestion of the Magic tool that waits for accept or reject.
    """

    id: str
    label: str
    box: Box
    offered: bool


class NoBrowser(Exception):
    """There is no Chromium to drive; says where it was looked for."""


def launch(playwright: Playwright) -> Browser:
    """Start the machine's Chromium, or else the one that Playwright downloaded.

    Raises:
        NoBrowser: There is neither.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        return playwright.chromium.launch(executable_path=found, args=list(FLAGS))
    except Error as error:
        raise NoBrowser(
            f"no Chromium: none of {', '.join(BROWSERS)} is on the PATH, and `playwright install chromium` was not run "
            f"({error.message.splitlines()[0]})"
        ) from error


def browser_is_a_must() -> bool:
    """Whether a missing browser is a failure: in continuous integration."""
    return bool(os.environ.get("CI"))


@contextmanager
def signed_in_page(browser: Browser, url: str, account: Account, *, sharper: int = 1) -> Iterator[Page]:
    """A page of a fresh browser profile, signed in by the form.

    Args:
        browser: Running.
        url: Label Studio.
        account: Who signs in.
        sharper: Device pixels for each CSS pixel.
    """
    width, height = SCREEN
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=sharper
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    try:
        page.goto(f"{url}/user/login/")
        page.fill("input[name=email]", account.email)
        page.fill("input[name=password]", account.password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda now: "/user/login" not in now)
        yield page
    finally:
        context.close()


class Editor:
    """The label stream of one project, opened on the next task."""

    def __init__(self, page: Page, *, url: str, project_id: int) -> None:
        """Open the label stream and put the instructions away."""
        self.page = page
        page.goto(f"{url}/projects/{project_id}/data?labeling=1")
        page.get_by_label("Close modal").click()
        expect(page.get_by_text("Labeling Instructions")).to_be_hidden()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return when the task's image is on the screen."""
        self.page.wait_for_function(_IMAGE_IS_READY)

    @property
    def task_id(self) -> int:
        """The task that is open."""
        return int(self.page.evaluate(_TASK))

    @property
    def image_url(self) -> str:
        """Where the image on the screen comes from."""
        return str(self.page.evaluate(_IMAGE_URL))

    def postpone(self) -> None:
        """Leave the task for later and wait for the next one."""
        task_id = self.task_id
        self.page.get_by_test_id("next-task").click()
        self.page.wait_for_function(f"({_TASK})() !== {task_id}")
        self.wait_until_ready()

    def regions(self) -> list[DrawnRegion]:
        """The boxes on the image, those offered by the Magic tool last."""
        found = self.page.evaluate(_REGIONS)
        return [DrawnRegion(r["id"], r["label"], Box(*r["box"]), offered=r["offered"]) for r in found]

    def wait_for_regions(self, fits: Callable[[list[DrawnRegion]], bool]) -> list[DrawnRegion]:
        """The boxes as soon as they fit.

        Raises:
            AssertionError: They did not in time; names what was there.
        """
        for _ in range(PATIENCE_MS // 100):
            if fits(regions := self.regions()):
                return regions
            self.page.wait_for_timeout(100)
        raise AssertionError(f"the editor has only {regions}")

    def listed_labels(self) -> list[str]:
        """What the list of regions at the right says, line by line."""
        return self.page.locator(".lsf-outliner-item__title").all_inner_texts()

    def listed_drafts(self) -> list[str]:
        """What the list of regions at the right says of the drafts, line by line; nobody can type there."""
        shown = self.page.locator(".lsf-outliner-item input:visible").all()
        assert not any(line.is_editable() for line in shown)
        return [line.input_value() for line in shown]

    def field(self, name: str) -> str:
        """The text that is on the screen in a text field: "rationale" or "summary"."""
        return self.page.locator(f".rc-{name} [data-testid=htx-textbox-content]").inner_text()

    def ticked(self, choice: str) -> bool:
        """Whether a choice with that name is ticked on the screen."""
        return self.page.locator(f"input[name='{choice}']:visible").first.is_checked()

    def select(self, region_id: str) -> None:
        """Click into the middle of a box."""
        box = self._box(region_id)
        self.page.mouse.click(*self._point(box.x + box.width / 2, box.y + box.height / 2))
        self.page.wait_for_function(f"({_SELECTED})() === '{region_id}'")

    def move(self, region_id: str, *, right: float = 0.0, down: float = 0.0) -> None:
        """Drag a box by fractions of the image's width and height."""
        box = self._box(region_id)
        x, y = box.x + box.width / 2, box.y + box.height / 2
        self._drag(self._point(x, y), self._point(x + right, y + down))
        self.wait_for_regions(lambda now: any(r.id == region_id and r.box.iou(box) < 0.99 for r in now))

    def delete(self, region_id: str) -> None:
        """Select a box and press Backspace."""
        self.select(region_id)
        self.page.keyboard.press("Backspace")
        self.wait_for_regions(lambda now: all(r.id != region_id for r in now))

    def draw(self, box: Box, *, hotkey: str) -> DrawnRegion:
        """Press a label's key and draw a box; returns what the editor made of it."""
        before = {r.id for r in self.regions()}
        self.page.keyboard.press("Escape")
        self.page.keyboard.press(hotkey)
        self._drag(self._point(box.x, box.y), self._point(box.x + box.width, box.y + box.height))
        now = self.wait_for_regions(lambda now: any(r.id not in before for r in now))
        return next(r for r in now if r.id not in before)

    def choose(self, choice: str) -> None:
        """Tick a choice that is on the screen, such as a severity of the selected region."""
        self.page.locator("label", has=self.page.locator(f"input[name='{choice}']")).locator(
            "visible=true"
        ).first.click()
        expect(self.page.locator(f"input[name='{choice}']:visible").first).to_be_checked()

    def rewrite(self, name: str, text: str) -> None:
        """Click into a text field and write another text."""
        self.begin_rewriting(name, text)
        field = self.page.locator(f".rc-{name}")
        field.get_by_label("Save").click()
        expect(field.get_by_test_id("htx-textbox-content")).to_have_text(text)

    def begin_rewriting(self, name: str, text: str) -> None:
        """Click into a text field, write another text key by key, and leave the cursor there."""
        field = self.page.locator(f".rc-{name}")
        field.get_by_test_id("htx-textbox-edit-button").click()
        field.get_by_role("textbox").first.fill("")
        self.page.keyboard.type(text)

    def ask_magic(self, box: Box, *, hotkey: str) -> list[DrawnRegion]:
        """Switch auto-annotation on, take the Magic tool, draw a box and wait for the dashed answers."""
        self.page.get_by_test_id("bottombar-auto-annotation-toggle").click()
        self.page.locator("button.lsf-tool_smart:visible").click()
        self.page.keyboard.press(hotkey)
        with self.page.expect_response(lambda answer: "/interactive-annotating" in answer.url) as answer:
            self._drag(self._point(box.x, box.y), self._point(box.x + box.width, box.y + box.height))
        assert answer.value.ok, answer.value.text()
        now = self.wait_for_regions(lambda now: any(r.offered for r in now))
        return [r for r in now if r.offered]

    def accept_offers(self) -> None:
        """Accept everything that the Magic tool offers."""
        self.page.get_by_test_id("bottombar-accept-suggestions-button").click()
        self.wait_for_regions(lambda now: not any(r.offered for r in now))

    def submit(self) -> int:
        """Submit; returns the annotation's id as the server gave it."""
        task_id = self.task_id

        def is_submission(answer: Response) -> bool:
            return answer.request.method == "POST" and f"/api/tasks/{task_id}/annotations" in answer.url

        with self.page.expect_response(is_submission) as answer:
            self.page.get_by_test_id("bottombar-submit-button").click()
        assert answer.value.status == 201, answer.value.text()
        return int(answer.value.json()["id"])

    def screenshot(self, file: Path) -> None:
        """Keep what is on the screen."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=file)

    def _box(self, region_id: str) -> Box:
        return next(r.box for r in self.regions() if r.id == region_id)

    def _point(self, x: float, y: float) -> tuple[float, float]:
        """A place of the image on the screen, in px."""
        canvas = self.page.locator(".konvajs-content").first.bounding_box()
        assert canvas is not None
        width, height = self.page.evaluate(_STAGE)
        return canvas["x"] + x * width, canvas["y"] + y * height

    def _drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press, move in steps as a hand does, and release."""
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=12)
        self.page.mouse.up()
