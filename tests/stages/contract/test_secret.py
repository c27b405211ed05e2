"""A secret cannot be shown by accident, whatever it is handed to."""

from __future__ import annotations

import json
import pickle

import msgspec
import pytest
from codex_shim.stages.contract.secret import Secret

KEY = "sk-marked-secret"
secret = Secret(KEY)


def test_no_way_of_printing_shows_it() -> None:
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>40}", f"{[secret]}", "%s" % secret, "{}".format(secret)):  # noqa: UP031, UP032
        assert KEY not in shown
        assert "[REDACTED]" in shown


@pytest.mark.parametrize("encode", [json.dumps, msgspec.json.encode, pickle.dumps])
def test_it_is_not_serialised(encode) -> None:
    with pytest.raises(TypeError):
        encode({"key": secret})


def test_it_is_given_back_only_on_request_and_compares_by_value() -> None:
    assert secret.reveal() == KEY
    assert secret == Secret(KEY) != Secret("other")
    assert len({secret, Secret(KEY)}) == 1
    assert not Secret("")
