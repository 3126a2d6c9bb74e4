"""Log lines on stderr: JSON for machines, or one readable line for people."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from json import dumps
from typing import Any

from visionlab_core.telemetry.request_id import request_id


def configure_logging(level: str | int = "INFO", json: bool = True) -> None:
    """Send everything that is logged in this process to stderr, one line a record, in place of the handlers so far.

    Libraries that keep handlers of their own have to be told not to: start uvicorn with `log_config=None`.

    Args:
        level: the least important level that is written, such as "INFO".
        json: JSON objects; else readable lines.

    Raises:
        ValueError: there is no such level.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if json else ReadableFormatter())
    root = logging.getLogger()
    root.setLevel(level.upper() if isinstance(level, str) else level)
    root.handlers[:] = [handler]
    logging.captureWarnings(True)


class JsonFormatter(logging.Formatter):
    """One JSON object a record, in ASCII and without a line break, whatever was logged.

    Fields: `time` (ISO 8601, UTC), `level`, `logger`, `message`, `request_id` (null outside of requests), what was given as
    `extra` (as `extra_<name>` where the name is one of these), and for exceptions `exception`, the traceback as text.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break at its end."""
        fields: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            "request_id": request_id.get(),
        }
        if trace := _traceback(self, record):
            fields["exception"] = trace
        for name, value in _extra(record).items():
            fields[f"extra_{name}" if name in fields else name] = value
        try:
            return dumps(fields, default=str, allow_nan=False)
        except Exception:  # what people log may be circular, keyed by tuples, not a number, or unable to say what it is
            return dumps({name: value if value is None else _text(value) for name, value in fields.items()})


class ReadableFormatter(logging.Formatter):
    """`time level logger [request] message name=value...`, then the indented traceback. Control characters are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break at its end."""
        request = request_id.get()
        parts = [_time(record), f"{record.levelname:<8}", record.name, *([f"[{request}]"] if request else []), _message(record)]
        parts += [f"{name}={_text(value)}" for name, value in _extra(record).items()]
        lines = [_escaped(" ".join(parts))]
        lines += ["    " + _escaped(line) for line in _traceback(self, record).split("\n") if line]
        return "\n".join(lines)


# uvicorn says everything twice, the second time with colours.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # arguments that do not fit the message: say what there is
        return f"{_text(record.msg)} {_text(record.args)}"


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = [formatter.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
    parts += [formatter.formatStack(record.stack_info)] if record.stack_info else []
    return "\n".join(parts)


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def _escaped(text: str) -> str:
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
