from __future__ import annotations

import json

import pytest
from codex_shim.orchestrator.settings.values import MissingVariableError, Sealed, expand


def test_placeholders_are_filled_in_once() -> None:
    environ = {"A": "1", "B": "${A}"}
    assert expand("${A}-${B}-$A-${}-{A}", environ) == "1-${A}-$A-${}-{A}"


@pytest.mark.parametrize("environ", [{}, {"A": ""}])
def test_a_variable_that_is_not_set_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(MissingVariableError) as caught:
        expand("${A}", environ)
    assert caught.value.name == "A"


def test_a_sealed_mapping_shows_names_and_is_a_mapping() -> None:
    sealed = Sealed({"b": "SECRET", "a": "SECRET"})
    assert f"{sealed} {sealed!r}" == "Sealed(a, b) Sealed(a, b)"
    assert json.loads(json.dumps(sealed)) == sealed == {"a": "SECRET", "b": "SECRET"}
