"""Every file under fixtures/pipelines/bad says exactly what stands in the .expected beside it; those under good are accepted."""

from __future__ import annotations

from pathlib import Path

import pytest
from codex_shim.orchestrator.settings import pipeline
from codex_shim.orchestrator.settings.problems import ConfigError
from codex_shim.stages.egress_demo.config import Options as DemoOptions
from codex_shim.stages.egress_http.config import Options as HttpOptions
from codex_shim.stages.router.config import Options as RouterOptions

FIXTURES = Path(__file__).parents[2] / "fixtures" / "pipelines"
BAD = sorted((FIXTURES / "bad").glob("*.toml"))
GOOD = sorted((FIXTURES / "good").glob("*.toml"))

CHAIN = '[[stage]]\nname = "ingress"\nuse = "ingress"\n[[stage]]\nname = "router"\nuse = "router"\n'


def which(program: str) -> str | None:
    return f"/programs/{program}" if program == "redact" else None


def refusal(text: str, path: str = "pipeline.toml") -> str:
    with pytest.raises(ConfigError) as caught:
        pipeline.parse(text, path, which)
    return str(caught.value)


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_says_all_that_is_wrong(file: Path) -> None:
    said = refusal(file.read_text(), str(file)).replace(f"{file.parent}/", "").replace(f"{file.name}:", "")
    assert said + "\n" == file.with_suffix(".expected").read_text()


def test_every_expectation_has_its_file() -> None:
    assert [file.stem for file in sorted((FIXTURES / "bad").glob("*.expected"))] == [file.stem for file in BAD]


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_accepts(file: Path) -> None:
    assert pipeline.parse(file.read_text(), str(file), which).stages[0].use == "ingress"


def test_reads_each_kind_of_stage() -> None:
    file = FIXTURES / "good" / "all_doors.toml"
    found = pipeline.parse(file.read_text(), str(file), which)
    stages = {stage.name: stage for stage in found.stages}
    assert list(stages) == ["ingress", "trim", "typed", "redact", "outside", "router"]
    assert stages["trim"].script == str(file.parent / "trim.py")
    assert stages["trim"].config == {"words": 100}
    assert (stages["typed"].path, stages["typed"].ready) == (str(file.parent), "tcp")
    assert stages["typed"].env == {"TOKEN": "${MY_TOKEN}"}
    assert stages["redact"].command == ["/programs/redact", "--port", "{port}", "--upstream", "{next}"]
    assert stages["outside"].url == "http://localhost:4000"
    assert stages["router"].options == RouterOptions(default="kimi", aliases={"fast": "groq-llama"})
    assert [stage.builtin for stage in found.stages] == [True, False, False, False, False, True]
    assert found.egress == {"kimi": HttpOptions(idle_seconds=30), "demo": DemoOptions(word_seconds=0)}


def test_what_is_not_written_has_a_default() -> None:
    found = pipeline.parse(CHAIN, "pipeline.toml")
    assert found.settings == pipeline.PipelineSettings(listen="127.0.0.1:8765", drain_seconds=30.0)
    assert found.egress == {}


def test_the_packaged_default_is_the_default_chain() -> None:
    found = pipeline.load(pipeline.packaged_default())
    assert [stage.use for stage in found.stages] == ["ingress", "policy", "router"]


def test_the_copy_for_the_wheel_is_the_repository_s_file() -> None:
    repository = Path(pipeline.__file__).parents[2] / "pipeline.toml"
    if repository.exists():
        assert (Path(pipeline.__file__).parent / "default_pipeline.toml").read_bytes() == repository.read_bytes()


def test_paths_start_at_the_file_s_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "trim.py").touch()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    stages = '[[stage]]\nname = "a"\nscript = "trim.py"\n[[stage]]\nname = "b"\nscript = "~/trim.py"\n'
    found = pipeline.parse(CHAIN.replace('[[stage]]\nname = "router"', stages + '[[stage]]\nname = "router"'), "../home/p.toml")
    written = [Path(stage.script).resolve() for stage in found.stages if stage.script]
    assert written == [(tmp_path / "home" / "trim.py").resolve()] * 2


def test_a_later_finding_has_its_position() -> None:
    found = pipeline.parse(CHAIN + 'default = "kimi"\n', "pipeline.toml")
    assert str(found.problem(("stage", 1, "default"), "no such model")) == "pipeline.toml:7:11: no such model"
    assert str(found.problem(("stage", 1, "aliases", "x"), "no such model")) == "pipeline.toml:4:1: no such model"


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_bytes(b"\xef\xbb\xbf" + (CHAIN + "colour = 1\n").replace("\n", "\r\n").encode())
    with pytest.raises(ConfigError, match="7:1: unknown key `colour`"):
        pipeline.load(file)


def test_nesting_without_end_is_a_problem_not_a_crash() -> None:
    assert "nested too deeply" in refusal("a = " + "[" * 100_000)


def test_values_that_may_be_credentials_are_not_shown() -> None:
    text = CHAIN.replace(
        '[[stage]]\nname = "router"', '[[stage]]\nname = "a"\nuse = "a.b"\nenv = {KEY = "sk-SECRET"}\n[[stage]]\nname = "r"'
    )
    assert "SECRET" not in repr(pipeline.parse(text, "pipeline.toml"))
    assert "SECRET" not in refusal(text.replace('"sk-SECRET"', '["sk-SECRET"]'))
    assert "SECRET" not in refusal(CHAIN + '[[stage]]\nname = "x"\nurl = "http://sk-SECRET@127.0.0.1:1"\n')


class TestFind:
    def test_the_option_comes_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert pipeline.find(Path("mine.toml"), {"CODEX_SHIM_PIPELINE": "/other.toml"}, tmp_path) == tmp_path / "mine.toml"

    def test_then_the_environment(self, tmp_path: Path) -> None:
        (tmp_path / "pipeline.toml").touch()
        assert pipeline.find(None, {"CODEX_SHIM_PIPELINE": "/other.toml"}, tmp_path) == Path("/other.toml")

    def test_then_the_home(self, tmp_path: Path) -> None:
        (tmp_path / "pipeline.toml").touch()
        assert pipeline.find(None, {}, tmp_path) == tmp_path / "pipeline.toml"

    def test_a_broken_link_in_the_home_is_not_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "pipeline.toml").symlink_to("nowhere.toml")
        with pytest.raises(ConfigError, match="cannot read this file: no such file"):
            pipeline.load(pipeline.find(None, {}, tmp_path))

    def test_then_the_default_and_never_the_current_directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "pipeline.toml").touch()
        monkeypatch.chdir(tmp_path)
        assert pipeline.find(None, {}, tmp_path / "home") == pipeline.packaged_default()

    def test_the_environment_cannot_mean_the_current_directory(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"CODEX_SHIM_PIPELINE: `pipeline\.toml` must be an absolute path"):
            pipeline.find(None, {"CODEX_SHIM_PIPELINE": "pipeline.toml"}, tmp_path)
