"""A launchd agent (launchd.plist(5)): nothing in it is expanded, and `plistlib` quotes. Pure."""

from __future__ import annotations

import plistlib
from typing import Any
from xml.parsers.expat import ExpatError

from .job import Job

# launchd has no limit of tries, so a chain that cannot start is tried this seldom.
SECONDS_BETWEEN_STARTS = 30


def plist(job: Job) -> bytes:
    """The text of the agent's file."""
    return plistlib.dumps(
        {
            "Label": job.name,
            "ProgramArguments": job.argv,
            "EnvironmentVariables": job.environ,
            "WorkingDirectory": str(job.home),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": SECONDS_BETWEEN_STARTS,
            "ExitTimeOut": job.patience,
            "ProcessType": "Interactive",  # else macOS slows it down
            "Umask": 0o077,
            "StandardOutPath": str(job.log),
            "StandardErrorPath": str(job.log),
        },
        sort_keys=False,
    )


def settings(text: bytes) -> dict[str, Any]:
    """What an agent says, by name; each variable is one of its own. Empty where it cannot be read."""
    try:
        found = plistlib.loads(text)
    except (ValueError, plistlib.InvalidFileException, ExpatError):
        return {}
    if not isinstance(found, dict):
        return {}
    variables = found.pop("EnvironmentVariables", {})
    return {**found, **(variables if isinstance(variables, dict) else {})}
