"""A token that Label Studio rejects shows: in `/status`, in `/metrics`, and in one line of the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import a_review, a_suggestion
from opened import opened
from review_copilot.domain.review import ProjectKey, TaskKey
from review_copilot.settings import load_settings
from review_copilot.web import create_app
from review_copilot.web.sweeper import Sweeper
from review_copilot.web.token_watch import TOKEN_WATCH, TokenState
from web_server import Answer, serving

AUTH = ("copilot", "open sesame")


def _eventually(condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.05)


@pytest.mark.parametrize("status", [401, 403])
def test_a_rejected_token_is_a_state_a_metric_and_one_line(
    status: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with serving(lambda _: Answer(status, b'{"detail": "Invalid token."}')) as label_studio:
        made = opened(
            load_settings(
                _env_file=None,
                database_url=f"sqlite:///{tmp_path}/log.db",
                password=AUTH[1],
                label_studio_url=label_studio.url,
                label_studio_token="ab" * 20,
            )
        )
        app = create_app(made.parts())
        client, watch = app.test_client(), app.extensions[TOKEN_WATCH]
        assert client.get("/status", auth=AUTH).get_json()["token_state"] == "unknown"
        instance = made.process.instance.name
        made.store.remember([a_review("r1", a_suggestion("s1"), key=TaskKey(ProjectKey(instance, 7, "1"), 1))])
        sweeper = Sweeper(
            made.store, instance=instance, opener=made.opener, bodies=made.parts().bodies, every_s=0.1, token=watch
        )
        sweeper.start()
        try:
            _eventually(lambda: watch.state is TokenState.REJECTED)
            asked = len(label_studio.asked)
            sweeper.woken.set()
            _eventually(lambda: len(label_studio.asked) > asked)
        finally:
            sweeper.stop()
        assert client.get("/status", auth=AUTH).get_json()["token_state"] == "rejected"
        assert "review_copilot_token_rejected 1.0" in client.get("/metrics", auth=AUTH).get_data(as_text=True)
        said = [record for record in caplog.records if "rejects the token" in record.getMessage()]
        assert len(said) == 1
        watch.note(accepted=True)
        assert client.get("/status", auth=AUTH).get_json()["token_state"] == "accepted"
        assert "review_copilot_token_rejected 0.0" in client.get("/metrics", auth=AUTH).get_data(as_text=True)
        made.store.close()
