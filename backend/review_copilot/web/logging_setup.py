"""Write log lines as text or as one JSON object each, with the id of their request. Knows no request."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from review_copilot.domain.request_context import REQUEST_ID


class WithRequestId(logging.Filter):
    """Adds to each record the id of the request that its thread works for; "-" outside a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id, and keep every record."""
        record.request_id = REQUEST_ID.get() or "-"
        return True


class JsonLines(logging.Formatter):
    """Formats each record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; `time` is UTC."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": REQUEST_ID.get(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logging(*, as_json: bool) -> None:
    """Write all messages of level INFO and higher to stderr."""
    handler = logging.StreamHandler()
    handler.addFilter(WithRequestId())
    text = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(text))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)
