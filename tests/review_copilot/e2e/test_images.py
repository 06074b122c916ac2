"""Images that the real server keeps: uploads and local files, with both kinds of token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from review_copilot.demo import label_studio_server as ls
from review_copilot.errors import ImageForbidden, ImageNotFound
from review_copilot.images import ImageFetcher
from review_copilot.images.fetch import FetchLimits
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.transport import LabelStudioAuth

pytestmark = pytest.mark.labelstudio

CONFIG = """<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">
<Label value="Scratch"/></RectangleLabels></View>"""


@pytest.fixture
def upload(label_studio_client: LabelStudioClient, tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """A path that Label Studio gave an upload, and the file."""
    project = label_studio_client.create_project(title="Image test", label_config=CONFIG)
    file = tmp_path / "a photo (1).png"
    Image.new("RGB", (30, 20), "navy").save(file)
    assert label_studio_client.upload(project.id, file) == 1
    (task,) = label_studio_client.tasks(project.id)
    yield task["data"]["image"], file.read_bytes()
    label_studio_client.delete_project(project.id)


def test_uploads_are_fetched_with_either_token(
    label_studio: ls.LabelStudioServer, personal_token: str, upload: tuple[str, bytes]
) -> None:
    path, data = upload
    for token in (label_studio.account.legacy_token, personal_token):
        auth = LabelStudioAuth(label_studio.url, token)
        with ImageFetcher(label_studio_url=label_studio.url, auth=auth, limits=FetchLimits()) as fetcher:
            image = fetcher.load(path)
            assert image.data == data
            assert fetcher.load(f"{label_studio.url}{path}").pixels.shape == (20, 30, 3)


def test_an_upload_needs_a_token_and_must_be_there(
    label_studio: ls.LabelStudioServer, upload: tuple[str, bytes]
) -> None:
    path, _ = upload
    with (
        ImageFetcher(label_studio_url=label_studio.url, auth=None, limits=FetchLimits()) as fetcher,
        pytest.raises(ImageForbidden),
    ):
        fetcher.load(path)
    auth = LabelStudioAuth(label_studio.url, label_studio.account.legacy_token)
    with ImageFetcher(label_studio_url=label_studio.url, auth=auth, limits=FetchLimits()) as fetcher:
        with pytest.raises(ImageNotFound):
            fetcher.load(f"{path}.gone")
        with pytest.raises(ImageNotFound):
            fetcher.load("s3://bucket/a.png", task_id=10**8)
        with pytest.raises(ImageForbidden, match="LOCAL_FILES_SERVING_ENABLED=true"):
            fetcher.load("/data/local-files/?d=a.png")
