"""Review Copilot as a model of label-studio-ml 2.x, for servers that already use that framework.

    from label_studio_ml.api import init_app
    from label_studio_ml.model import LabelStudioMLBase
    from review_copilot.web.ml_adapter import model_class

    app = init_app(model_class=model_class(LabelStudioMLBase))

Only this file knows the framework's calls. It does not import the framework: the caller passes the base class. The
framework handles one request at a time. Deadlines, pending drafts, and shared work function as usual. `review-copilot
serve` needs no framework, and it also writes the override log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from review_copilot.bootstrap.backend import BackendParts, build_backend
from review_copilot.bootstrap.process import open_process
from review_copilot.labelstudio.payloads import read_predict
from review_copilot.settings import load_settings
from review_copilot.web.answers import answerer


def model_class(base: type[Any], *, parts: BackendParts | None = None) -> type[Any]:
    """Create a model class for the framework.

    Args:
        base: `label_studio_ml.model.LabelStudioMLBase`.
        parts: The backend that answers; None builds it from the settings.
    """
    ours = parts or build_backend(open_process(load_settings()))
    process = ours.process
    answer = answerer(ours.service)

    @cache
    def project(project_id: str) -> str:
        """Id and creation time. The framework drops the creation time, so it is read from Label Studio."""
        access = process.label_studio
        created = access.opener.open(int(project_id)).key.created if access else ""
        return f"{project_id}.{created}"

    class ReviewCopilotModel(base):  # type: ignore[misc]  # the framework's base class is not known here
        """Drafts reviews with a guideline."""

        def setup(self) -> None:
            """Set the version of new drafts for the framework. Calls no model."""
            self.set("model_version", process.setup_of().model_version)

        def predict(
            self, tasks: Sequence[Mapping[str, Any]], context: Mapping[str, Any] | None = None, **_: Any
        ) -> list[object]:
            """Return one result per task, in order. A task without a draft in time gets an empty list.

            Raises:
                BadRequest: The framework passed no project.
            """
            body = {
                "tasks": list(tasks),
                "project": project(str(self.project_id or "0")),
                "label_config": self.label_config,
                "params": {"context": context},
            }
            return answer(read_predict(body, instance=process.instance.name), lambda: False)

    return ReviewCopilotModel
