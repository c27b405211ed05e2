"""What a service is told: a command line and a few variables, and no secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from codex_shim.orchestrator.service import job
from codex_shim.orchestrator.service.job import NotPossibleError
from service_managers import HOME, a_job


def test_the_command_line_starts_the_chain_in_the_foreground_with_what_is_in_use() -> None:
    head = ["/usr/bin/python3", "-P", "-m", "codex_shim.orchestrator.cli", "--home", str(HOME)]
    assert job.command("/usr/bin/python3", HOME, None, None) == [*head, "pipeline", "up"]
    chosen = job.command("/usr/bin/python3", HOME, Path("/m.json"), Path("/p.toml"))
    assert chosen == [*head, "--settings", "/m.json", "--pipeline", "/p.toml", "pipeline", "up"]


def test_each_home_has_a_service_of_its_own() -> None:
    other = job.name_of(Path("/other"), HOME)
    assert (job.name_of(HOME, HOME), other) == ("codex-shim", job.name_of(Path("/other"), HOME))
    assert other.startswith("codex-shim-")
    assert other != job.name_of(Path("/third"), HOME)


def test_of_the_environment_only_what_is_no_secret_is_carried() -> None:
    environ = {
        "PATH": "/usr/bin",
        "CODEX_HOME": "/c",
        "DEEPSEEK_API_KEY": "sk",
        "CURSOR_API_KEY": "sk",
        "https_proxy": "http://proxy:3128",
        "HTTPS_PROXY": "http://me:secret@proxy:3128",
        "ALL_PROXY": "me:secret@proxy",
        "LANG": "",
        "TZ": "a\nb",
    }
    assert job.carried(environ) == {"PATH": "/usr/bin", "CODEX_HOME": "/c", "https_proxy": "http://proxy:3128"}
    assert job.withheld(environ) == ["HTTPS_PROXY", "ALL_PROXY"]


def test_a_service_sees_what_it_is_told_before_all_else() -> None:
    seen = job.seen_by_service({"PATH": "/told"}, {"HOME": "/home/me", "DEEPSEEK_API_KEY": "sk"}, {"PATH": "/more", "KEY": "k"})
    assert seen == {"HOME": "/home/me", "PATH": "/told", "KEY": "k"}


def test_a_file_of_variables_is_read_as_people_write_it() -> None:
    text = "# keys\n; more\nONE=1\n TWO = two words \nTHREE=\"a=b\"\nFOUR='x'\nFIVE=\nno line\n"
    assert job.read_env_file(text) == {"ONE": "1", "TWO": "two words", "THREE": "a=b", "FOUR": "x", "FIVE": ""}


@pytest.mark.parametrize("path", ["/a\nb", "/a\x7f", "/a\udcff"])
def test_a_path_that_no_file_of_a_manager_can_hold_is_refused(path: str) -> None:
    with pytest.raises(NotPossibleError, match="a service cannot have it"):
        job.check(a_job(home=Path(path)))
    job.check(a_job(home=Path('/with space/100%/"quotes"/$HOME/é')))
