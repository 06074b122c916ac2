"""Create the Flask application: only routes. Each parses a request, calls one flow, and formats one answer."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from review_copilot.bootstrap.backend import BackendParts
from review_copilot.errors import BadRequest, CopilotError, LabelConfigError, StoreBusy
from review_copilot.web.api_description import api_description_routes
from review_copilot.web.auth import Authenticator
from review_copilot.web.dashboard import DashboardSource, dashboard_routes
from review_copilot.web.metrics import Meter
from review_copilot.web.protocol import protocol_routes
from review_copilot.web.request_guard import MAX_BODY_BYTES, guard
from review_copilot.web.status import StatusSource, status_routes
from review_copilot.web.token_watch import TOKEN_WATCH, TokenWatch
from review_copilot.web.webhook import COUNTS, webhook_routes

log = logging.getLogger(__name__)


def create_app(parts: BackendParts) -> Flask:
    """Create the application of a backend. Each route receives only the parts that it uses.

    Raises:
        SettingsError: The settings would let anyone send requests.
    """
    app = Flask("review_copilot")
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    process, instance = parts.process, parts.process.instance.name
    token = process.label_studio is not None
    authenticator = Authenticator.from_settings(process.settings, secrets=process.webhook_secrets)
    meter = Meter(store=process.store, pool=parts.pool, clock=process.clock)
    meter.watch(app)
    app.extensions[TOKEN_WATCH] = watch = TokenWatch(has_token=token)
    meter.show_token(watch)
    parts.watchers.append(meter.reviewed)
    status = StatusSource(instance, token, process.setup_of, process.store, parts.pool, process.clock)
    dashboard = DashboardSource(
        store=process.store,
        setup_of=process.setup_of,
        opener_of=process.opener_of,
        images=process.images,
        clock=process.clock,
        link_to=process.instance.link_to,
    )
    app.register_blueprint(protocol_routes(parts.service, authenticator, instance=instance))
    app.register_blueprint(status_routes(status, authenticator, meter))
    app.register_blueprint(webhook_routes(process.store, authenticator, instance=instance, keep_bodies=not token))
    meter.show_webhooks(app.extensions[COUNTS])
    app.register_blueprint(dashboard_routes(dashboard, authenticator))
    app.register_blueprint(api_description_routes(authenticator))
    guard(app)
    app.register_error_handler(CopilotError, _answer_known_error)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_bug)
    return app


def _answer_known_error(error: Exception) -> tuple[Response, int]:
    """Answer with the public message and the hint of a known error."""
    assert isinstance(error, CopilotError)  # noqa: S101  # registered only for this type
    log.warning("%s: %s", type(error).__name__, error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, BadRequest | LabelConfigError):  # the label config came with the request
        status = HTTPStatus.BAD_REQUEST
    elif isinstance(error, StoreBusy):
        status = HTTPStatus.SERVICE_UNAVAILABLE
    return jsonify(error=error.public, hint=error.hint), status


def _answer_http_error(error: Exception) -> tuple[Response, int]:
    """Answer Flask's own errors as JSON, like all others."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered only for this type
    hint = ""
    if isinstance(error, RequestEntityTooLarge):
        hint = f"The limit is {request.max_content_length} bytes. Select fewer tasks, or run preannotate or sync."
    response = jsonify(error=error.description or error.name, hint=hint)
    for name, value in error.get_headers():
        if name.lower() in {"www-authenticate", "retry-after"}:
            response.headers[name] = value
    return response, error.code or HTTPStatus.INTERNAL_SERVER_ERROR


def _answer_bug(error: Exception) -> tuple[Response, int]:
    """Answer an unexpected error: the log receives the details, the caller does not."""
    log.error("unexpected error", exc_info=error)
    return jsonify(error="The backend failed.", hint="See its log for details."), HTTPStatus.INTERNAL_SERVER_ERROR
