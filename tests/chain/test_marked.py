"""The search for secrets can fail: each of the three places that are searched is given one."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import marked
import pytest
from pipelines import INGRESS, pipeline, program
from running_chain import RunningChain, StartChain
from systems import needs_proc

KEY = marked.key("one")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that is gone before the run ends: what is found here is not to be found then."""
    with TemporaryDirectory() as name:
        yield Path(name)


def test_a_secret_in_the_output_of_a_command_is_found_and_not_repeated(idle_home: RunningChain) -> None:
    with pytest.raises(AssertionError) as failed:
        idle_home.cli("stage", "check", KEY, check=False)  # there is no such stage, it says
    assert str(failed.value) == "a secret is in the output of `codex-shim stage check …`"


@needs_proc
def test_a_secret_that_the_system_shows_of_a_process_is_found_when_its_chain_goes(start_chain: StartChain) -> None:
    given = f'env = {{ GIVEN = "{KEY}" }}\n'
    chain = start_chain(pipeline=pipeline(INGRESS, program("tells", "canned.py", "{port}", f"/nowhere/{KEY}", more=given)))
    with pytest.raises(AssertionError) as failed:
        chain.down()
    assert "a secret is in the cmdline of " in str(failed.value)
    assert "a secret is in the environ of " in str(failed.value)
    assert not marked.shown_in(str(failed.value))
    (chain.home / "chain.toml").unlink()  # the test has put it there


@needs_proc
def test_what_the_user_has_put_into_the_environment_of_the_chain_is_its_own(start_chain: StartChain) -> None:
    start_chain(environ={"SOME_KEY": KEY}).down()


def test_a_secret_in_a_file_is_found_however_deep_and_in_base64_too(folder: Path) -> None:
    (folder / "shim" / "run").mkdir(parents=True)
    (folder / "shim" / "run" / "router.log").write_text(f'{{"event":"bug","key":"{KEY}"}}\n')
    (folder / "catalog.json").write_bytes(base64.b64encode(f"?{KEY}".encode()))
    (folder / "shim" / "models.json").write_text(KEY)
    (folder / "harmless").write_text("sk-another-key")
    assert marked.files_with_secrets(folder) == [Path("catalog.json"), Path("shim/run/router.log")]


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_base64_hides_nothing_wherever_it_begins(before: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert marked.shown_in(encode(f"{before}{KEY}, and more".encode()))
    assert not marked.shown_in(base64.b64encode(before.encode() + b"something else of the same length or so"))


def test_a_token_can_be_read_and_is_marked_where_it_is_secret() -> None:
    header, payload, signature = marked.jwt({"exp": 3}).split(".")
    assert base64.urlsafe_b64decode(payload + "==") == b'{"exp": 3}'
    assert not marked.shown_in(header + payload)
    assert marked.shown_in(signature)
