"""The ML-backend protocol of Label Studio 1.23.2: `/health`, `/setup`, `/predict`, `/versions`."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from review_copilot.flows.predict import DraftService
from review_copilot.flows.review_context import rollout_of
from review_copilot.labelstudio.payloads import read_predict, read_setup
from review_copilot.web.answers import answerer
from review_copilot.web.auth import Authenticator
from review_copilot.web.client_connection import disconnected
from review_copilot.web.request_guard import decoded


def protocol_routes(service: DraftService, authenticator: Authenticator, *, instance: str) -> Blueprint:
    """Create the four routes.

    Args:
        service: Drafts on request.
        authenticator: Checks requests.
        instance: Name of the Label Studio in the log.
    """
    routes = Blueprint("protocol", __name__)
    answer = answerer(service)

    @routes.get("/")
    @routes.get("/health")
    def health() -> Response:
        """Report that the server runs. Needs no password, so it reports nothing else. Uses no model or database."""
        return jsonify(status="UP")

    @routes.post("/setup")
    def setup() -> Response:
        """Return the version of new drafts for this project. Label Studio waits 3 s, so this calls no model."""
        authenticator.check_basic()
        asked = read_setup(_body(), instance=instance)
        rollout = rollout_of(asked.project, store=service.store, setup_of=service.setup_of)
        return jsonify(model_version=rollout)

    @routes.get("/versions")
    def versions() -> Response:
        """Return the versions that Label Studio's settings page offers."""
        authenticator.check_basic()
        return jsonify(versions=[service.setup_of().model_version])

    @routes.post("/predict")
    def predict() -> Response:
        """Return one result per task, in order. A task that fails gets an empty list and does not affect the others."""
        authenticator.check_basic()
        asked = read_predict(_body(), instance=instance)
        return jsonify(results=answer(asked, disconnected(request)))

    return routes


def _body() -> object:
    return decoded(request.get_data())
