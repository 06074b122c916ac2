"""The copilot as a model of label-studio-ml 2.x, for people who already run that framework.

    from label_studio_ml.api import init_app
    from label_studio_ml.model import LabelStudioMLBase
    from review_copilot.web.ml_adapter import model_class

    app = init_app(model_class=model_class(LabelStudioMLBase))

Only this file knows the framework's calls, and it does not import it: the base class is handed in. Its loop asks one
request at a time; deadline, backlog and shared work are ours all the same. Our own `review-copilot serve` needs no
framework, and writes the override log too.
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
    """A model class for the framework.

    Args:
        base: `label_studio_ml.model.LabelStudioMLBase`.
        parts: The backend that answers; built from the settings when None.
    """
    ours = parts or build_backend(open_process(load_settings()))
    process = ours.process
    answer = answerer(ours.service)

    @cache
    def project(project_id: str) -> str:
        """Id and creation stamp; the framework cuts the stamp off, and only Label Studio knows it."""
        access = process.label_studio
        created = access.opener.open(int(project_id)).key.created if access else ""
        return f"{project_id}.{created}"

    class ReviewCopilotModel(base):  # type: ignore[misc]  # the framework's base is not known here
        """Drafts reviews by a guideline."""

        def setup(self) -> None:
            """Tell the framework which version would be drafted; no model is touched."""
            self.set("model_version", process.setup_of().model_version)

        def predict(
            self, tasks: Sequence[Mapping[str, Any]], context: Mapping[str, Any] | None = None, **_: Any
        ) -> list[object]:
            """One result for each task, in order; what has no draft in time gives an empty list.

            Raises:
                BadRequest: The framework handed on no project.
            """
            body = {
                "tasks": list(tasks),
                "project": project(str(self.project_id or "0")),
                "label_config": self.label_config,
                "params": {"context": context},
            }
            return answer(read_predict(body, instance=process.instance.name), lambda: False)

    return ReviewCopilotModel
