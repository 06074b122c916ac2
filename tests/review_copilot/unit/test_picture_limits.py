"""Numbers of crops and of whole pictures, worked by hand, and every limit of "like" and "unlike" from both sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.fft import dctn

from builders import NOON, a_suggestion
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.domain.reviewed_crops import CriterionCrops, CropFeatures, PatternCrops, ReviewedCrops
from review_copilot.domain.suggestion import LIKE, UNLIKE, Suggestion
from review_copilot.domain.task_image import Picture
from review_copilot.suggest.crop_features import (
    FEATURE_COUNT,
    ORIENTATIONS,
    SIDE_PX,
    crop_features,
    crop_features_of,
    rounded,
)
from review_copilot.suggest.fingerprints import LEAST_DETAIL, MOST_NAMED, NEAR_BITS, Likeness, fingerprint, likenesses
from review_copilot.suggest.similar_reviews import (
    CLOSER,
    FAR,
    FARTHER,
    LEAST_FAR,
    LEAST_NEAR,
    LEAST_ORDINARY,
    LEAST_SPREAD,
    NEARBY,
    NEIGHBOURS,
    TOLD_BY,
    WITHIN,
    _Crowd,
    _crowd,
    _is_far,
    _is_near,
    _nearest,
    _tasks,
    familiar,
    words_of,
)


def picture(grey: object) -> Pixels:
    """A grey picture from rows of brightness 0..255."""
    return np.repeat(np.asarray(grey, np.uint8)[:, :, None], 3, axis=2)


class TestCrops:
    """The numbers of a crop, in their order."""

    def test_colors_are_mean_and_spread_of_brightness_and_of_two_differences(self) -> None:
        """Left half red, right half blue: brightness 1/3, red less green 1 and 0, yellow less blue .5 and -1."""
        pixels = np.zeros((40, 40, 3), np.uint8)
        pixels[:, :20, 0] = 255
        pixels[:, 20:, 2] = 255
        found = crop_features(pixels, Box.whole())
        assert found[:6].tolist() == pytest.approx([1 / 3, 0.0, 0.5, 0.5, -0.25, 0.75])
        assert found.shape == (FEATURE_COUNT,)
        green = np.zeros((40, 40, 3), np.uint8)
        green[..., 1] = 255
        assert crop_features(green, Box.whole())[:6].tolist() == pytest.approx([1 / 3, 0.0, -1.0, 0.0, 0.5, 0.0])

    def test_detail_is_how_far_pixels_one_and_four_apart_differ(self) -> None:
        """Columns 0 and 255 in turn: across 1 at a distance of one, 0 at four; down 0."""
        striped = picture(np.tile([0, 255], (40, 20)))
        assert crop_features(striped, Box.whole())[6:8].tolist() == pytest.approx([np.log1p(25), 0.0])
        broad = picture(np.tile(np.repeat([0, 255], 4), (40, 5)))
        assert crop_features(broad, Box.whole())[6:8].tolist() == pytest.approx([np.log1p(25 * 9 / 39), np.log1p(25)])

    @pytest.mark.parametrize(("side", "known"), [(4, False), (5, True)])
    def test_detail_needs_a_crop_larger_than_the_distance(self, side: int, *, known: bool) -> None:
        ramp = picture(np.tile(np.arange(side) * 40, (side, 1)))
        assert bool(crop_features(ramp, Box.whole())[7] > 0) is known

    @pytest.mark.parametrize(
        ("down", "across", "direction"),
        [(0, 4, 0), (3, 4, 0), (4, 3, 1), (4, 0, 2), (4, -3, 2), (3, -4, 3), (-4, -3, 1), (0, -4, 0)],
    )
    def test_edges_are_counted_in_four_directions(self, down: int, across: int, direction: int) -> None:
        """A ramp of so much a pixel; its strength is the same all over. Angles go by 45 degrees, from 0."""
        rows, columns = np.mgrid[0:20, 0:20]
        ramp = 128 + down * (rows - 10) + across * (columns - 10)
        found = crop_features(picture(ramp), Box.whole())[8:12]
        strength = np.hypot(down, across) / 255
        assert found[direction] == pytest.approx(np.log1p(50 * strength), rel=1e-6)
        assert np.delete(found, direction).tolist() == pytest.approx([0.0] * 3)
        assert ORIENTATIONS == 4

    @pytest.mark.parametrize(
        ("box", "size", "shape"),
        [
            (Box(0.1, 0.1, 0.2, 0.4), np.log(0.08), np.log(0.5)),
            (Box(0.1, 0.1, 0.4, 0.2), np.log(0.08), np.log(2.0)),
            (Box(0.1, 0.1, 0.0005, 0.5), np.log(0.00025), np.log(0.001 / 0.5)),
            (Box(0.1, 0.1, 0.5, 0.0005), np.log(0.00025), np.log(0.5 / 0.001)),
            (Box(0.1, 0.1, 0.0001, 0.0001), np.log(1e-6), 0.0),
        ],
    )
    def test_size_and_shape_are_logarithms(self, box: Box, size: float, shape: float) -> None:
        found = crop_features(picture(np.zeros((40, 40))), box)
        assert found[12:].tolist() == pytest.approx([size, shape])

    def test_only_the_box_is_measured(self) -> None:
        grey = np.zeros((100, 200))
        grey[20:40, 100:160] = 255
        pixels = picture(grey)
        inside, beside = Box(0.5, 0.2, 0.3, 0.2), Box(0.49, 0.2, 0.3, 0.2)
        assert crop_features(pixels, inside)[:2].tolist() == pytest.approx([1.0, 0.0])
        assert crop_features(pixels, beside)[0] == pytest.approx(58 / 60)
        assert crop_features(pixels, Box(0.5, 0.19, 0.3, 0.2))[0] == pytest.approx(19 / 20)
        assert crop_features(pixels, Box(0.51, 0.2, 0.3, 0.2))[0] == pytest.approx(58 / 60)
        assert crop_features(pixels, Box(0.5, 0.21, 0.3, 0.2))[0] == pytest.approx(19 / 20)

    def test_large_crops_are_sampled_at_64_pixels(self) -> None:
        """Of 127 columns every other one is taken: those that are black."""
        columns = np.tile(np.arange(127) % 2 * 255, (127, 1))
        assert crop_features(picture(columns), Box.whole())[0] == 0.0
        assert crop_features(picture(columns.T), Box.whole())[0] == 0.0
        assert crop_features(picture(columns[:, :64]), Box.whole())[0] == pytest.approx(0.5)
        assert SIDE_PX == 64

    def test_a_box_past_the_edge_is_measured_at_the_edge(self) -> None:
        grey = np.zeros((10, 10))
        grey[-1, -1] = 255
        assert crop_features(picture(grey), Box(1.0, 1.0, 0.1, 0.1))[0] == 1.0

    def test_a_box_smaller_than_a_pixel_is_that_pixel(self) -> None:
        grey = np.zeros((10, 10))
        grey[4, 4] = 255
        assert crop_features(picture(grey), Box(0.41, 0.41, 0.001, 0.001))[:2].tolist() == [1.0, 0.0]

    def test_edges_need_two_pixels_each_way(self) -> None:
        """A step of 100 between two pixels is a slope of 100 at both."""
        step = picture([[0, 100], [0, 100]])
        assert crop_features(step, Box.whole())[8] == pytest.approx(np.log1p(50 * 100 / 255))

    def test_four_digits_are_kept(self) -> None:
        assert rounded(np.array([0.123456, -123456.0, 0.0])) == (0.1235, -123500.0, 0.0)
        pixels = picture(np.random.default_rng(0).integers(0, 255, (30, 30)))
        assert crop_features_of(pixels, Box.whole()) == rounded(crop_features(pixels, Box.whole()))


class TestFingerprints:
    """Perceptual hashes."""

    @pytest.mark.parametrize("shape", [(32, 32), (64, 64), (96, 32)])
    def test_are_the_signs_of_the_lowest_cosines_against_their_median(self, shape: tuple[int, int]) -> None:
        """Pictures of whole multiples of 32 pixels, by SciPy's transform of plain means."""
        pixels = np.random.default_rng(3).integers(0, 255, (*shape, 3)).astype(np.uint8)
        grey = pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
        means = grey.reshape(32, shape[0] // 32, 32, shape[1] // 32).mean(axis=(1, 3))
        low = dctn(means, norm="ortho")[:8, :8].ravel()[1:]
        bits = "0" + "".join("1" if value > np.median(low) else "0" for value in low)
        expected = f"{int(bits, 2):016x}"
        assert fingerprint(pixels) == (expected if np.abs(low).mean() >= 10 else "")
        assert len(expected) == 16

    @pytest.mark.parametrize(("size", "found"), [(1.01, True), (0.99, False)])
    def test_need_some_detail(self, size: float, *, found: bool) -> None:
        """A single cosine across: one of 63 frequencies is 16 sqrt(2) times its height; their mean must be 10."""
        wave = np.cos(np.pi / 32 * (np.arange(32) + 0.5))
        height = 10 * 63 / (16 * np.sqrt(2)) * size
        assert height < 127
        pixels = np.repeat(np.tile(128 + height * wave, (32, 1))[:, :, None], 3, axis=2)
        assert bool(fingerprint(pixels)) is found
        assert LEAST_DETAIL == 10.0

    @pytest.mark.parametrize("size", [(20, 45), (33, 61)])
    def test_of_a_size_that_does_not_divide_weigh_pixels_by_their_share(self, size: tuple[int, int]) -> None:
        """Each pixel repeated 32 times, then plain means, is the same picture at a whole multiple."""
        pixels = np.random.default_rng(5).integers(0, 255, (*size, 3)).astype(np.uint8)
        assert fingerprint(pixels) == fingerprint(np.repeat(np.repeat(pixels, 32, axis=0), 32, axis=1))

    @pytest.mark.parametrize(("bits", "near"), [(8, True), (9, False)])
    @pytest.mark.parametrize("spread", ["low", "high", "even"])
    def test_are_near_up_to_eight_bits_wherever_they_are(self, bits: int, spread: str, *, near: bool) -> None:
        places = {"low": range(bits), "high": range(63 - bits, 63), "even": range(0, 63, 7)}[spread]
        other = sum(1 << place for place in list(places)[:bits])
        found = likenesses([Picture(1, "a", "0" * 16), Picture(2, "b", f"{other:016x}")])
        assert found == ({1: Likeness(near=(2,)), 2: Likeness(near=(1,))} if near else {})
        assert NEAR_BITS == 8

    @pytest.mark.parametrize("band", range(9))
    def test_are_near_by_whichever_seven_bits_they_share(self, band: int) -> None:
        """One bit of each of the other eight sevens differs."""
        other = sum(1 << (7 * one + 3) for one in range(9) if one != band)
        pictures = [Picture(1, "a", "0" * 16), Picture(2, "b", f"{other:016x}"), Picture(3, "c", f"{2**63 - 1:016x}")]
        assert likenesses(pictures) == {1: Likeness(near=(2,)), 2: Likeness(near=(1,))}

    @pytest.mark.parametrize(("count", "named"), [(21, 20), (22, 20), (3, 2)])
    def test_of_the_same_file_twenty_others_are_named_by_rising_id(self, count: int, named: int) -> None:
        found = likenesses(Picture(task_id, "a") for task_id in reversed(range(1, count + 1)))
        assert MOST_NAMED == 20
        for task_id in range(1, count + 1):
            others = [other for other in range(1, count + 1) if other != task_id]
            assert found[task_id].same == tuple(others[:named])
            assert found[task_id].near == ()

    def test_pictures_without_a_hash_are_like_nothing(self) -> None:
        assert likenesses([Picture(1, "", ""), Picture(2, "", "")]) == {}
        assert likenesses([Picture(1, "a", "0" * 16)]) == {}


def on_a_line(*places: float) -> tuple[CropFeatures, ...]:
    return tuple((float(place),) for place in places)


class TestCrowds:
    """Crops on a line; distances are plain differences."""

    def test_a_crop_is_as_far_as_the_mean_of_its_three_nearest(self) -> None:
        assert _nearest(np.array([9.0, 1.0, 2.0, 3.0])) == 2.0
        assert _nearest(np.array([4.0, 2.0])) == 3.0
        assert _nearest(np.zeros(0)) == float("inf")
        assert NEIGHBOURS == 3

    def test_each_is_set_against_the_others(self) -> None:
        """0, 1, 2, 10: nearest three of each are all others: 13/3, 11/3, 11/3, 9."""
        crowd = _crowd(np.array([[0.0], [1.0], [2.0], [10.0]]))
        assert crowd.apart.tolist() == pytest.approx([13 / 3, 11 / 3, 11 / 3, 9.0])
        assert crowd.inner == pytest.approx(np.quantile([13 / 3, 11 / 3, 11 / 3, 9.0], 0.9))
        assert crowd.edge == pytest.approx(np.quantile([13 / 3, 11 / 3, 11 / 3, 9.0], 0.98))
        assert crowd.far(np.array([3.0])) == pytest.approx((1 + 2 + 3) / 3)
        two = _crowd(np.array([[0.0], [4.0]]))
        assert (two.apart.tolist(), two.inner, two.edge) == ([4.0, 4.0], 4.0, 4.0)
        assert (WITHIN, FAR) == (0.9, 0.02)

    @pytest.mark.parametrize("count", [0, 1])
    def test_one_alone_is_no_crowd(self, count: int) -> None:
        crowd = _crowd(np.zeros((count, 1)))
        assert (len(crowd), crowd.apart.tolist(), crowd.inner, crowd.edge) == (count, [], 0.0, 0.0)

    @staticmethod
    def crowd(*, size: int = 99, apart: float = 1.0, edge: float = 1.0, inner: float = 1.0, as_far: int = 0) -> _Crowd:
        """Crops at 0, each `apart` from the others but for some that are 100 from them."""
        each = np.full(size, apart)
        each[:as_far] = 100.0
        return _Crowd(np.zeros((size, 1)), each, inner=inner, edge=edge)

    @pytest.mark.parametrize(("size", "far"), [(50, True), (49, False)])
    def test_far_needs_fifty(self, size: int, *, far: bool) -> None:
        assert _is_far(np.array([9.0]), self.crowd(size=size)) is far
        assert LEAST_FAR == 50

    @pytest.mark.parametrize(("as_far", "size", "far"), [(1, 99, True), (2, 99, False), (2, 149, True), (1, 98, False)])
    def test_far_is_farther_than_all_but_two_in_a_hundred(self, as_far: int, size: int, *, far: bool) -> None:
        """Itself counted: (1 + 1) / (1 + 99) is .02."""
        assert _is_far(np.array([9.0]), self.crowd(size=size, as_far=as_far)) is far

    @pytest.mark.parametrize(("place", "far"), [(1.26, True), (1.25, False)])
    def test_far_is_a_quarter_farther_than_the_edge(self, place: float, *, far: bool) -> None:
        assert _is_far(np.array([place]), self.crowd()) is far
        assert FARTHER == 1.25

    def test_one_that_is_as_far_counts_as_far(self) -> None:
        assert not _is_far(np.array([9.0]), self.crowd(apart=9.0))

    @pytest.mark.parametrize(("size", "place", "near"), [(5, 1.5, True), (5, 1.51, False), (4, 0.1, False)])
    def test_near_needs_five_and_is_at_most_half_as_far_again(self, size: int, place: float, *, near: bool) -> None:
        assert _is_near(np.array([place]), self.crowd(size=size)) is near
        assert _is_near(np.array([2 * place]), self.crowd(size=size, inner=2.0)) is near
        assert (LEAST_NEAR, NEARBY) == (5, 1.5)


class TestFacts:
    """What is said of a suggestion whose crop lies on a line with those that were reviewed."""

    PATTERN = PatternCrops("sticker lens", ("sticker", "lens"), 7, (3, 6, 9), on_a_line(*[10.0] * 5, 11.0))

    @staticmethod
    def said(book: ReviewedCrops, place: float | None = None, *, words: str = "") -> dict[str, str]:
        suggestion: Suggestion = replace(
            a_suggestion(rationale=words), crop_features=() if place is None else (float(place),)
        )
        return familiar(book).facts(suggestion)

    def book(self, *kept: float, other: tuple[float, ...] = (), patterns: int = 1) -> ReviewedCrops:
        reviewed = [CriterionCrops("PQ-01", on_a_line(*kept), (True,) * len(kept))]
        if other:
            reviewed.append(CriterionCrops("PQ-02", on_a_line(*other), (True,) * len(other)))
        return ReviewedCrops(NOON, reviewed=tuple(reviewed), patterns=(self.PATTERN,) * patterns)

    def test_numbers_are_set_to_their_own_spread(self) -> None:
        """Of 0 and 2 the mean is 1 and the spread 1, to which .05 is added."""
        found = familiar(ReviewedCrops(NOON, reviewed=(CriterionCrops("PQ-01", on_a_line(0, 2), (True, False)),)))
        assert (found.middle.tolist(), found.spread.tolist()) == ([1.0], [1.05])
        assert found.reviewed["PQ-01"].everything.points.tolist() == pytest.approx(np.array([[-1], [1]]) / 1.05)
        assert found.reviewed["PQ-01"].kept.points.tolist() == pytest.approx(np.array([[-1]]) / 1.05)
        assert found.kept.points.tolist() == pytest.approx(np.array([[-1]]) / 1.05)
        assert LEAST_SPREAD == 0.05

    def test_crops_of_another_measure_are_left_out(self) -> None:
        mixed = (*on_a_line(0, 2), (1.0, 2.0))
        found = familiar(ReviewedCrops(NOON, reviewed=(CriterionCrops("PQ-01", mixed, (True,) * 3),)))
        assert found.middle.tolist() == [1.0, 2.0]
        assert len(found.reviewed["PQ-01"].everything) == 1
        assert self.said(self.book(*[0.0] * 30), None) == {}

    @pytest.mark.parametrize(("kept", "like"), [(20, True), (19, False)])
    def test_nothing_is_like_a_pattern_before_twenty_were_kept(self, kept: int, *, like: bool) -> None:
        assert (LIKE in self.said(self.book(*[0.0] * kept), 10.0)) is like
        assert LEAST_ORDINARY == 20

    def test_what_was_kept_under_other_criteria_stands_in_for_too_few_of_ones_own(self) -> None:
        assert LIKE in self.said(self.book(0.0, other=(0.0,) * 19), 10.0)
        assert LIKE not in self.said(self.book(0.0, other=(0.0,) * 18), 10.0)

    def test_ones_own_count_alone_once_they_are_enough(self) -> None:
        """Others keep stickers under PQ-02; under PQ-01 nobody does."""
        assert LIKE in self.said(self.book(*[0.0] * 20, other=(10.0,) * 20), 10.0)
        assert LIKE not in self.said(self.book(*[0.0] * 19, other=(10.0,) * 20), 10.0)

    @pytest.mark.parametrize(("kept", "like"), [(9.39, True), (9.41, False)])
    def test_like_is_half_as_far_from_the_pattern_as_from_the_kept(self, kept: float, *, like: bool) -> None:
        """At 9.8 the pattern's nearest three are .2 away; what was kept must be farther than .4."""
        pattern = replace(self.PATTERN, features=on_a_line(*[10.0] * 5, 10.0, *[9.0] * 3, *[11.0] * 3))
        book = replace(self.book(*[kept] * 20), patterns=(pattern,))
        assert (LIKE in self.said(book, 9.8)) is like
        assert CLOSER == 0.5

    def test_of_patterns_that_are_as_near_the_first_is_named(self) -> None:
        book = replace(self.book(*[0.0] * 20), patterns=(self.PATTERN, replace(self.PATTERN, name="hair")))
        assert '"sticker lens"' in self.said(book, 10.0)[LIKE]

    def test_the_nearest_of_several_patterns_is_named(self) -> None:
        other = replace(self.PATTERN, name="hair", features=on_a_line(*[9.8] * 5, 10.4))
        book = replace(self.book(*[0.0] * 20), patterns=(self.PATTERN, other))
        assert '"hair"' in self.said(book, 9.8)[LIKE]
        assert '"sticker lens"' in self.said(book, 10.0)[LIKE]

    @pytest.mark.parametrize(
        ("words", "said", "like"),
        [
            (("sticker", "lens"), "A STICKER on the lens.", True),
            (("sticker", "lens"), "A sticker.", False),
            (("sticker", "lens", "glue"), "A sticker with glue.", True),
            (("sticker",), "A sticker.", True),
            (("sticker",), "A label.", False),
            ((), "Anything.", False),
        ],
    )
    def test_a_rationale_speaks_of_a_pattern_by_two_of_its_words(
        self, words: tuple[str, ...], said: str, *, like: bool
    ) -> None:
        book = replace(self.book(), patterns=(replace(self.PATTERN, words=words),))
        assert (LIKE in self.said(book, words=said)) is like
        assert TOLD_BY == 2

    def test_words_are_lower_case(self) -> None:
        assert {"sticker", "lens"} <= words_of("Sticker/LENS")

    def test_sentences(self) -> None:
        like = self.said(self.book(*[0.0] * 20), 10.0)[LIKE]
        assert like == (
            'Like 7 regions that reviewers marked as "sticker lens" and no criterion claims: tasks 3, 6 and 9.'
        )
        spread = tuple(float(place) for place in np.linspace(0.0, 1.0, 60))
        assert self.said(self.book(*spread), 99.0)[UNLIKE] == (
            "Unlike the 60 suggestions last reviewed under Out of focus: look twice."
        )
        unnamed = replace(self.book(*[0.0] * 20), patterns=(replace(self.PATTERN, name="", words=()),))
        assert self.said(unnamed, 10.0)[LIKE].startswith("Like 7 regions that reviewers marked without a note and no")

    @pytest.mark.parametrize(
        ("tasks", "words"),
        [((4,), "task 4"), ((4, 5), "tasks 4 and 5"), ((4, 5, 6, 7), "tasks 4, 5 and 6")],
    )
    def test_three_tasks_are_named(self, tasks: tuple[int, ...], words: str) -> None:
        assert _tasks(tasks) == words
