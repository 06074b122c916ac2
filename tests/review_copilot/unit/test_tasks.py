"""Tasks are read by the fields that the label config shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import PROJECT, a_criterion, a_guideline
from review_copilot.domain.review import TaskKey
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.mapping import read_label_config
from review_copilot.labelstudio.tasks import read_task

GUIDELINE = a_guideline(a_criterion())
LABELS = read_label_config(generate(GUIDELINE, reference=True, prompt=True), GUIDELINE)


def test_a_task_is_read_with_reference_prompt_and_other_text() -> None:
    data = {"image": " /data/upload/1/a.jpg ", "reference": "s3://b/r.png", "prompt": "a cat", "shop": 12, "tags": {}}
    task = read_task({"id": 5, "data": data, "predictions": []}, project=PROJECT, labels=LABELS)
    assert task.key == TaskKey(PROJECT, 5)
    assert (task.image, task.reference, task.prompt) == ("/data/upload/1/a.jpg", "s3://b/r.png", "a cat")
    assert task.data == {"shop": "12"}


def test_a_list_of_images_gives_pages() -> None:
    """A page that is no text stays in the list, so that the others keep their numbers."""
    task = read_task({"id": 1, "data": {"image": ["a.jpg", None, " c.jpg "]}}, project=PROJECT, labels=LABELS)
    assert (task.image, task.pages) == ("a.jpg", ("", "c.jpg"))
    assert [task.at_page(n).image for n in range(4)] == ["a.jpg", "", "c.jpg", "a.jpg"]
    assert (task.at_page(2).pages, task.at_page(2).page) == ((), 2)


def test_a_dotted_field_leads_into_nested_data() -> None:
    xml = generate(GUIDELINE).replace("$image", "$photo.url")
    labels = read_label_config(xml, GUIDELINE)
    task = read_task({"id": 1, "data": {"photo": {"url": "a.jpg"}}}, project=PROJECT, labels=labels)
    assert task.image == "a.jpg"


INDEXED = {
    "shots": [{"url": "a.jpg"}, {"url": "b.jpg"}],
    "names": ["a.jpg", "b.jpg"],
    "file": "b.jpg",
    "n": 7,
    "x.y": "d",
}


@pytest.mark.parametrize(
    ("value", "image"),
    [
        ("$shots[1].url", "b.jpg"),
        ("$shots.1.url", "b.jpg"),
        ("$names[1]", "b.jpg"),
        ("$x.y", "d"),
        ("/data/local-files/?d=set/$file", "/data/local-files/?d=set/b.jpg"),
        ("https://example.org/$n/$names[0]", "https://example.org/7/a.jpg"),
        ("https://example.org/fixed.jpg", "https://example.org/fixed.jpg"),
        ("$shots[2].url", ""),
        ("$shots[1].url.more", ""),
        ("/files/$missing", ""),
        ("/files/$shots", ""),
    ],
)
def test_a_value_is_resolved_as_the_editor_does(value: str, image: str) -> None:
    labels = read_label_config(generate(GUIDELINE).replace("$image", value), GUIDELINE)
    task = read_task({"id": 1, "data": INDEXED}, project=PROJECT, labels=labels)
    assert task.image == image
    assert "shots" not in task.data
    assert ("file" in task.data) == ("$file" not in value)


@pytest.mark.parametrize("raw", [{}, {"id": "x"}, {"id": 3, "data": None}, {"data": {"image": None}}, {"data": []}])
def test_a_task_without_an_image_is_read_and_has_none(raw: dict[str, object]) -> None:
    assert read_task(raw, project=PROJECT, labels=LABELS).image == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab"), lambda inner: st.lists(inner, max_size=3)
)


@given(st.dictionaries(st.sampled_from(["id", "data"]), JSON | st.dictionaries(st.just("image"), JSON)))
def test_no_task_makes_it_raise(raw: dict[str, object]) -> None:
    assert isinstance(read_task(raw, project=PROJECT, labels=LABELS).image, str)
