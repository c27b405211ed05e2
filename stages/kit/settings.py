"""The handshake and the stage's own table, read once at start. What is wrong with them is one sentence and exit code 78."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec

from ..contract import handshake
from ..contract.handshake import Handshake

EX_CONFIG = 78  # sysexits.h: something was found in an unconfigured or misconfigured state

C = TypeVar("C")


def read_handshake(environ: Mapping[str, str] = os.environ) -> Handshake:
    try:
        return handshake.read(environ)
    except handshake.HandshakeError as error:
        give_up(str(error))


def read_config(path: str | None, type: type[C]) -> C:
    """The JSON file of the handshake as `type`; its defaults where there is no file."""
    try:
        return msgspec.json.decode(Path(path).read_bytes() if path else b"{}", type=type)
    except OSError as error:
        give_up(f"the stage's configuration {path} cannot be read: {error.strerror}")
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        give_up(f"the stage's configuration is not usable: {error}")


def give_up(sentence: str) -> NoReturn:
    """End the process the way a supervisor can tell from a crash."""
    print(sentence, file=sys.stderr, flush=True)
    raise SystemExit(EX_CONFIG)
