"""The description of all routes in the OpenAPI format, as `/openapi.json`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml
from flask import Blueprint, Response, jsonify

from review_copilot.web.auth import Authenticator


def api_description_routes(authenticator: Authenticator) -> Blueprint:
    """Create the route; it requires username and password."""
    routes = Blueprint("api_description", __name__)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        """Return the description of all routes."""
        authenticator.check_basic()
        return jsonify(api_description())

    return routes


@cache
def api_description() -> dict[str, Any]:
    """The OpenAPI 3.1 document of all routes."""
    text = resources.files("review_copilot.web").joinpath("openapi.yaml").read_text("utf-8")
    description: dict[str, Any] = yaml.safe_load(text)
    return description
