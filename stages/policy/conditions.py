"""Whether a rule is for a request. Pure: what is asked of the clock and the headers is in the request."""

from __future__ import annotations

import fnmatch
import json
import re
from datetime import time
from typing import Any

from ..contract import json_path
from .config import When
from .request import Request


def holds(when: When, request: Request) -> bool:
    """Cheap questions first: most rules are for a few models."""
    return (
        (not when.models or _fits(request.model, when.models))
        and all(fnmatch.fnmatchcase(request.headers.get(name.lower(), ""), glob) for name, glob in when.headers.items())
        and (when.hours is None or within(request.now.time(), when.hours))
        and (when.tokens_above is None or request.tokens > when.tokens_above)
        and (when.tokens_below is None or request.tokens < when.tokens_below)
        and (not when.project or _fits(request.project, when.project))
        and (when.says is None or re.search(when.says, request.said) is not None)
        and (when.images is None or request.has_images == when.images)
        and all(_finds(request, path, pattern) for path, pattern in when.fields.items())
    )


def within(now: time, hours: str) -> bool:
    """`hours` like "09:00-17:30"; one that ends before it begins goes over midnight."""
    begin, end = (time.fromisoformat(each.strip()) for each in hours.split("-"))
    return begin <= now < end if begin <= end else now >= begin or now < end


def _fits(value: str, globs: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(value, glob) for glob in globs)


def _finds(request: Request, path: str, pattern: str) -> bool:
    return any(re.search(pattern, _text(value)) for value in request.values(json_path.parse(path)))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
