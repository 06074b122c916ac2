"""What showing a model a 12-megapixel photograph costs, and whether small flaws can still be seen in what is sent.

Compared with sending the camera file as it is: image tokens, share of the prompt that a provider's cache can hold, and
how many planted flaws of 20 px are still there. A flaw counts as seen when the picture that is sent differs from the
same picture without the flaw by at least half of the flaw's contrast over at least 4 x 4 px; as shown at full size when
a close-up holds it.

    python benchmarks/image_tokens.py [--photographs FOLDER] [--flaws 3]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.domain.suggestion import Brief
from review_copilot.inspectors.assembly import openai_inspector, profile_of
from review_copilot.inspectors.options import ModelSetup
from review_copilot.inspectors.tokens import text_tokens
from review_copilot.inspectors.views import View
from review_copilot.library import load_guideline, prompt_source
from review_copilot.plugin.contract_suite import as_image
from review_copilot.ports import Shared

WIDTH_PX, HEIGHT_PX = 4032, 3024
FLAW_PX = 20
LEAST_CONTRAST = 40
SEEN_PX = 16


@dataclass(frozen=True)
class Shown:
    """What became of the flaws of one photograph."""

    seen: int
    full_size: int
    tokens: int
    naive_tokens: int
    cacheable: float
    seconds: float


def camera_file(pixels: Pixels, *, seed: int) -> Pixels:
    """A 12-megapixel photograph made of a smaller one: enlarged, turned to 4:3, with grain as a sensor gives it."""
    height, width = pixels.shape[:2]
    wide = min(width, round(height * WIDTH_PX / HEIGHT_PX))
    tall = min(height, round(width * HEIGHT_PX / WIDTH_PX))
    cut = pixels[(height - tall) // 2 :, (width - wide) // 2 :][:tall, :wide]
    big = cv2.resize(cut, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    big += np.random.default_rng(seed).normal(0, 2.5, big.shape[:2])[..., None]
    return np.asarray(np.clip(big, 0, 255), np.uint8)


def plant(pixels: Pixels, *, count: int, seed: int) -> tuple[Pixels, list[tuple[int, int, int]]]:
    """The photograph with round flaws of 20 px at random places; each as (x, y, contrast in levels)."""
    rng = np.random.default_rng(seed)
    spoilt, flaws = pixels.copy(), []
    for _ in range(count):
        x, y = int(rng.integers(60, WIDTH_PX - 60)), int(rng.integers(60, HEIGHT_PX - 60))
        around = float(pixels[y - 10 : y + 10, x - 10 : x + 10].mean())
        contrast = int(rng.integers(LEAST_CONTRAST, 80)) * (-1 if around > 110 else 1)
        level = int(np.clip(around + contrast, 0, 255))
        cv2.circle(spoilt, (x, y), FLAW_PX // 2, (level, level, level), thickness=-1, lineType=cv2.LINE_AA)
        flaws.append((x, y, abs(contrast)))
    return spoilt, flaws


def show(pixels: Pixels, *, setup: ModelSetup, flaws: int, seed: int) -> Shown:
    """Plant flaws in a photograph, make what would be sent, and look for them."""
    inspector = openai_inspector(setup, shared=Shared())
    rule = profile_of(setup).tokens
    guideline = load_guideline("photo-quality")
    clean = camera_file(pixels, seed=seed)
    spoilt, planted = plant(clean, count=flaws, seed=seed)
    image = as_image(spoilt)
    began = time.perf_counter()
    question, _ = inspector.question(Brief(image, guideline))
    seconds = time.perf_counter() - began
    seen = full_size = 0
    for x, y, contrast in planted:
        holding = [view for view in question.views if _holds(view.box, x / WIDTH_PX, y / HEIGHT_PX)]
        full_size += any(view.box != Box.whole() for view in holding)
        seen += any(_differs(view, clean, x=x, y=y, contrast=contrast) for view in holding)
    tokens = sum(rule.image_tokens(view.width_px, view.height_px) for view in question.views)
    words = text_tokens(question.system)
    return Shown(
        seen=seen,
        full_size=full_size,
        tokens=tokens,
        naive_tokens=rule.image_tokens(WIDTH_PX, HEIGHT_PX),
        cacheable=words / (words + text_tokens(question.user) + tokens),
        seconds=seconds,
    )


def _holds(box: Box, x: float, y: float) -> bool:
    return box.x <= x <= box.right and box.y <= y <= box.bottom


def _differs(view: View, clean: Pixels, *, x: int, y: int, contrast: int) -> bool:
    """Whether a flaw is there in the JPEG that is sent, compared with the same part of the clean photograph."""
    left, top = round(view.box.x * WIDTH_PX), round(view.box.y * HEIGHT_PX)
    part = clean[top : top + round(view.box.height * HEIGHT_PX), left : left + round(view.box.width * WIDTH_PX)]
    without = cv2.resize(part, (view.width_px, view.height_px), interpolation=cv2.INTER_AREA)
    decoded = cv2.imdecode(np.frombuffer(view.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    change = np.abs(decoded[:, :, ::-1].astype(np.float32).mean(axis=2) - without.astype(np.float32).mean(axis=2))
    scale_x, scale_y = view.width_px / part.shape[1], view.height_px / part.shape[0]
    column, row = round((x - left) * scale_x), round((y - top) * scale_y)
    reach = round(FLAW_PX * scale_x)
    spot = change[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
    return int((spot >= contrast / 2).sum()) >= SEEN_PX


def _photographs(folder: Path | None) -> list[Pixels]:
    if folder is None:
        return [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]  # type: ignore[no-untyped-call]
    read = [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in sorted(folder.iterdir())]
    return [np.asarray(pixels[:, :, ::-1], np.uint8) for pixels in read if pixels is not None]


def main() -> int:
    """Print a table; exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--photographs", type=Path, help="Folder of photographs; scikit-image's own without.")
    parser.add_argument("--flaws", type=int, default=3, help="Flaws planted in each.")
    parser.add_argument("--most", type=int, default=40, help="Most photographs.")
    wanted = parser.parse_args()
    photographs = _photographs(wanted.photographs)[: wanted.most]
    reached = True
    print(
        f"{len(photographs)} photographs of {WIDTH_PX} x {HEIGHT_PX} px, {wanted.flaws} flaws of {FLAW_PX} px in each"
    )
    print("model       tokens  as it is  share cacheable   seen full size     s")
    for model in ("gpt-5.5", "qwen3-vl-8b"):
        setup = ModelSetup(
            model=model,
            system_prompt=prompt_source("inspect.system.md.j2"),
            user_prompt=prompt_source("inspect.user.md.j2"),
            second_look_prompt=prompt_source("second_look.md.j2"),
            profile_files=(prompt_source("profiles.yaml"),),
        )
        shown = [show(p, setup=setup, flaws=wanted.flaws, seed=seed) for seed, p in enumerate(photographs)]
        count = len(shown) * wanted.flaws
        tokens = sum(s.tokens for s in shown) / len(shown)
        share = tokens / shown[0].naive_tokens
        cacheable = sum(s.cacheable for s in shown) / len(shown)
        seen, full = sum(s.seen for s in shown) / count, sum(s.full_size for s in shown) / count
        seconds = sum(s.seconds for s in shown) / len(shown)
        print(
            f"{model:10} {tokens:7.0f} {shown[0].naive_tokens:9} {share:6.1%} {cacheable:9.1%} {seen:6.1%} {full:9.1%} "
            f"{seconds:5.2f}"
        )
        reached = reached and share <= 0.25 and cacheable >= 0.7 and seen >= 0.99
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
