"""The host of script stages: what a script may do, and the sentence where it fails."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.contract.sse import Frame
from codex_shim.stages.kit.client import HopClient
from codex_shim.stages.kit.script import EventFilter, ScriptError, ScriptStage, change_request, load
from raw_upstream import plain, serving, upstream


def write(folder: Path, text: str) -> str:
    path = folder / "trim.py"
    path.write_text(text)
    return str(path)


def changed(body: dict[str, Any], path: str, config: dict[str, Any] | None = None) -> dict[str, Any]:
    return json.loads(change_request(load(path, config or {})["request"], json.dumps(body).encode(), path))


def test_a_script_changes_the_body_in_place_or_returns_another(tmp_path: Path) -> None:
    in_place = write(tmp_path, "def request(body):\n    body['b'] = 2")
    assert changed({"z": 1}, in_place) == {"z": 1, "b": 2}
    another = write(tmp_path, "def request(body):\n    return {'only': 1}")
    assert changed({"z": 1}, another) == {"only": 1}


def test_key_order_and_numbers_survive(tmp_path: Path) -> None:
    path = write(tmp_path, "def request(body): pass")
    raw = b'{"z":9007199254740993,"10":{"b":1.5,"a":null},"9":[true]}'
    assert change_request(load(path, {})["request"], raw, path) == raw


def test_a_script_sees_its_own_table(tmp_path: Path) -> None:
    path = write(tmp_path, "WORD = config['word']\ndef request(body):\n    body['word'] = WORD + config['word']")
    assert changed({}, path, {"word": "hey"}) == {"word": "heyhey"}


def test_a_refusal_is_a_403_with_the_scripts_words(tmp_path: Path) -> None:
    path = write(tmp_path, "def request(body):\n    raise PermissionError('not on Sundays')")
    with pytest.raises(HopError) as refused:
        changed({}, path)
    assert (refused.value.failure.status, refused.value.failure.message) == (403, "not on Sundays")


def test_a_file_that_cannot_be_read_is_no_refusal(tmp_path: Path) -> None:
    path = write(tmp_path, "def request(body):\n    raise PermissionError(13, 'Permission denied')")
    with pytest.raises(ScriptError):
        changed({}, path)


def test_a_bug_is_told_with_its_line_and_is_not_worth_a_second_try(tmp_path: Path) -> None:
    path = write(tmp_path, "def request(body):\n\n    return body['missing']")
    with pytest.raises(ScriptError) as failed:
        changed({}, path)
    failure = failed.value.failure
    assert failure.message == "the script trim.py failed: KeyError: 'missing' (line 3)"
    assert (failure.status, failure.code) == (500, "invalid_prompt")


@pytest.mark.parametrize(("code", "sentence"), [("return 1", "returned int"), ("return [body]", "returned list")])
def test_a_wrong_return_value_is_named(tmp_path: Path, code: str, sentence: str) -> None:
    path = write(tmp_path, f"def request(body):\n    {code}")
    with pytest.raises(ScriptError, match=sentence):
        changed({}, path)


def feed(path: str, *events: Any) -> list[Frame]:
    change = EventFilter(load(path, {})["event"], path)
    return [out for event in events for out in change.feed(Frame(b"", json.dumps(event).encode()))]


def test_events_are_changed_dropped_and_multiplied(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "def event(event):\n"
        "    if event['type'] == 'drop': return []\n"
        "    if event['type'] == 'twice': return [event, {'type': 'response.extra'}]\n"
        "    event['seen'] = True",
    )
    frames = feed(path, {"type": "drop"}, {"type": "twice"}, {"type": "response.x"})
    assert [json.loads(frame.data)["type"] for frame in frames] == ["twice", "response.extra", "response.x"]
    assert [frame.event for frame in frames] == [b"", b"response.extra", b"response.x"]
    assert json.loads(frames[-1].data)["seen"] is True


def test_what_is_no_object_passes_by_the_script(tmp_path: Path) -> None:
    path = write(tmp_path, "def event(event): raise RuntimeError")
    change = EventFilter(load(path, {})["event"], path)
    assert change.feed(Frame(b"", b"[DONE]")) == [Frame(b"", b"[DONE]")]
    assert change.feed(Frame(b"", b"[1]")) == [Frame(b"", b"[1]")]


def test_an_answer_in_one_piece_is_the_event_that_would_have_ended_it(tmp_path: Path) -> None:
    path = write(tmp_path, "def event(event):\n    event['response']['seen'] = event['type']")
    change = EventFilter(load(path, {})["event"], path)
    answer = {"id": "resp_1", "object": "response", "status": "incomplete", "n": 9007199254740993}
    assert json.loads(change.whole(json.dumps(answer).encode())) == {**answer, "seen": "response.incomplete"}
    for other in (b'{"object": "response.compaction"}', b"[1]", b"words"):
        assert change.whole(other) == other
    dropped = EventFilter(lambda event: [], path)
    assert dropped.whole(json.dumps(answer).encode()) == json.dumps(answer).encode()


def answered(script: str, answer: bytes) -> bytes:
    """What a client that does not stream gets through a script stage."""

    async def talk() -> bytes:
        client = HopClient()
        try:
            async with (
                upstream(answer) as raw,
                serving(stage, {}, raw.url.removesuffix("/v1")) as url,
                client.open("POST", url + "/responses", {}, b'{"input":"hi"}') as reply,
            ):
                return await reply.read()
        finally:
            await client.close()

    stage = type("Script", (ScriptStage,), {"path": script})
    return asyncio.run(talk())


def test_a_client_that_does_not_stream_sees_what_the_script_made_of_the_answer(tmp_path: Path) -> None:
    path = write(tmp_path, "def event(event):\n    event['response']['seen'] = True")
    answer = b'{"object":"response","status":"completed"}'
    assert json.loads(answered(path, plain("200 OK", "application/json", answer)))["seen"] is True
    refused = b'{"error":{"message":"no"}}'
    assert answered(path, plain("400 Bad Request", "application/json", refused)) == refused
    broken = write(tmp_path, "def event(event):\n    event['missing']")
    told = json.loads(answered(broken, plain("200 OK", "application/json", answer)))
    assert told["error"]["message"] == "the script trim.py failed: KeyError: 'missing' (line 2)"


def test_a_stream_whose_script_fails_ends_behind_what_was_sent(tmp_path: Path) -> None:
    path = write(tmp_path, "def event(event):\n    return event if event['type'] == 'response.created' else event['nothing']")
    change = EventFilter(load(path, {})["event"], path)
    created = {
        "type": "response.created",
        "sequence_number": 4,
        "response": {"id": "resp_1", "model": "m", "status": "in_progress"},
    }
    change.feed(Frame(b"", json.dumps(created).encode()))
    with pytest.raises(ScriptError) as failed:
        change.feed(Frame(b"", b'{"type":"response.x"}'))
    end = change.failed(failed.value.failure)
    assert (end["type"], end["sequence_number"]) == ("response.failed", 5)
    assert end["response"]["id"] == "resp_1"
    assert end["response"]["status"] == "failed"
    assert end["response"]["error"] == {
        "code": "invalid_prompt",
        "message": "the script trim.py failed: KeyError: 'nothing' (line 2)",
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def request(body:", "SyntaxError"),
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name' (line 1)"),
        ("config['missing']", "KeyError: 'missing' (line 1)"),
        ("requests = 1", "defines neither request(body) nor event(event)"),
    ],
)
def test_a_script_that_cannot_be_used_is_one_sentence_and_78(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    with pytest.raises(SystemExit) as end:
        load(write(tmp_path, text), {})
    assert end.value.code == 78
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
