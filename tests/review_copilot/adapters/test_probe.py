"""The probe against endpoints that answer in each convention, with noise, and with faults."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from fake_endpoint import Turn, endpoint, refusing
from review_copilot.domain.geometry import Box
from review_copilot.errors import ModelAuthError, ModelMalformed
from review_copilot.inspectors.coordinates import Convention, Order, Resize, Unit
from review_copilot.inspectors.openai_compatible import Endpoint, OpenAIChat
from review_copilot.inspectors.probe import MOST_ERROR, ProbeReport, probe, targets
from review_copilot.inspectors.profiles import Profile, profile_for, read_profiles, write_profiles

COLORS = {"red": 0, "green": 1, "blue": 2}


def where(pixels: npt.NDArray[np.uint8], color: str) -> Box:
    """Where the rectangle of a color is in a picture, as a model sees it."""
    channel = COLORS[color]
    others = [c for c in range(3) if c != channel]
    strong = pixels[:, :, channel].astype(int) - pixels[:, :, others].max(axis=2) > 60
    rows, columns = np.flatnonzero(strong.any(axis=1)), np.flatnonzero(strong.any(axis=0))
    size = {"image_width_px": pixels.shape[1], "image_height_px": pixels.shape[0]}
    return Box.from_pixels(columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0], **size)


Spoil = Callable[[tuple[float, ...], npt.NDArray[np.uint8]], "list[float] | str | None"]


def answering(convention: Convention, spoil: Spoil = lambda numbers, _: list(numbers)) -> Callable[[Turn], str]:
    def model(turn: Turn) -> str:
        pixels = turn.pictures[0]
        color = next(c for c in COLORS if f"the {c} rectangle" in turn.user)
        height, width = pixels.shape[:2]
        numbers = convention.from_box(where(pixels, color), width_px=width, height_px=height)
        return json.dumps({"box": spoil(numbers, pixels)})

    return model


def probed(model: Callable[[Turn], str]) -> ProbeReport:
    with endpoint(model) as server:
        return probe(OpenAIChat(Endpoint("a-model", base_url=server.url)), profile=Profile("test"))


CONVENTIONS = [
    Convention(unit, order)
    for unit in (Unit.FRACTION, Unit.PERCENT, Unit.THOUSANDTHS, Unit.PIXELS, Unit.BINS_1024)
    for order in (Order.XYXY, Order.YXYX, Order.XYWH, Order.YXHW)
]


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda c: f"{c.unit}-{c.order}")
def test_each_convention_is_told_from_the_others(convention: Convention) -> None:
    best = probed(answering(convention)).best
    assert (best.convention.unit, best.convention.order) == (convention.unit, convention.order)
    assert best.error < 0.003


@pytest.mark.parametrize(
    "frame",
    [
        Resize(factor=28, min_pixels=3136, max_pixels=200704),
        Resize(factor=28, max_pixels=1003520),
        Resize(longest_px=768),
        Resize(square_px=448),
    ],
)
def test_pixels_of_a_picture_that_the_server_resized_are_understood(frame: Resize) -> None:
    """The scale of another size: numbers count pixels of a picture that we never sent."""
    convention = Convention(Unit.PIXELS, Order.XYXY, frame)
    best = probed(answering(convention)).best
    assert best.error < 0.005
    for width_px, height_px in ((1000, 1000), (1280, 640), (448, 1120), (900, 700)):
        assert best.convention.extent(width_px, height_px) == pytest.approx(
            convention.extent(width_px, height_px), rel=0.02
        )


def test_noise_of_one_percent_is_forgiven_and_reported() -> None:
    rng = np.random.default_rng(5)
    noisy = answering(
        Convention(Unit.THOUSANDTHS, Order.YXYX), lambda numbers, _: [n + float(rng.normal(0, 10)) for n in numbers]
    )
    best = probed(noisy).best
    assert (best.convention.unit, best.convention.order) == (Unit.THOUSANDTHS, Order.YXYX)
    assert 0.002 < best.error < MOST_ERROR


def test_some_answers_without_a_box_are_forgiven_and_counted() -> None:
    spotty = answering(
        Convention(Unit.THOUSANDTHS, Order.XYXY), lambda n, pixels: "none" if pixels.shape[1] == 448 else list(n)
    )
    report = probed(spotty)
    assert (report.answered, report.asked) == (9, len(targets()))
    assert report.failures


FAULTS: list[tuple[str, Spoil]] = [
    (
        "random numbers",
        lambda _, pixels: [float(v) for v in np.random.default_rng(pixels.size).uniform(0, 999, 4)],
    ),
    (
        "axes swapped on upright pictures only",
        lambda n, p: [n[1], n[0], n[3], n[2]] if p.shape[0] > p.shape[1] else list(n),
    ),
    ("a scale that changes with the picture", lambda n, p: [v * (0.5 + p.shape[1] / 1280) for v in n]),
    ("always the same box", lambda _, __: [100.0, 100.0, 900.0, 900.0]),
    ("mirrored", lambda n, _: [1000 - n[2], n[1], 1000 - n[0], n[3]]),
]


@pytest.mark.parametrize("spoil", [f[1] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_an_endpoint_that_no_convention_explains_is_refused(spoil: Spoil) -> None:
    with pytest.raises(ModelMalformed, match=r"No convention explains.*off by .*3% is the most"):
        probed(answering(Convention(Unit.THOUSANDTHS, Order.XYXY), spoil))


def test_an_endpoint_that_draws_no_boxes_is_refused() -> None:
    with pytest.raises(ModelMalformed, match="Only 0 of 12 questions"):
        probed(lambda _: '{"box": "upper left"}')


def test_an_endpoint_that_cannot_be_asked_says_why() -> None:
    with endpoint(lambda _: refusing(401, "No.")) as server, pytest.raises(ModelAuthError):
        probe(OpenAIChat(Endpoint("a-model", base_url=server.url)), profile=Profile("test"))


def test_what_was_found_becomes_a_profile_that_the_model_finds_again() -> None:
    report = probed(answering(Convention(Unit.PERCENT, Order.YXHW)))
    written = write_profiles([report.profile(Profile("base", trust=0.4), model="org/a.model:7b")])
    found = profile_for("org/a.model:7b", read_profiles(written))
    assert (found.convention.unit, found.convention.order, found.trust) == (Unit.PERCENT, Order.YXHW, 0.4)
    assert profile_for("org/a-model:7b", read_profiles(written)).name == "default"
