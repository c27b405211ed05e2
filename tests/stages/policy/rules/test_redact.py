"""Redact, and its way back."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from codex_shim.stages.contract import summary
from codex_shim.stages.contract.sse import Frame
from codex_shim.stages.policy.effect import AnswerChange
from codex_shim.stages.policy.rules.placeholders import Pieces, Placeholders
from hypothesis import given
from hypothesis import strategies as st
from policy_requests import changed, run

KEY = "sk-" + "a1B2" * 6
PEM = '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n"x"\n-----END RSA PRIVATE KEY-----'
MAIL = "jane.doe@example.co.uk"
ALL = {"do": "redact", "kinds": ["keys", "private_keys", "emails"], "patterns": {"badge": r"B-\d+"}}


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def call(arguments: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": "call_1", "name": "shell", "arguments": arguments}


def answer_to(body: dict[str, Any]) -> AnswerChange:
    [effect] = run(body, ALL)[1]
    assert effect.answer is not None
    return effect.answer


def events(change: AnswerChange, *sent: dict[str, Any]) -> list[dict[str, Any]]:
    frames = [frame for event in sent for frame in change.feed(Frame(event["type"].encode(), msgspec.json.encode(event)))]
    return [msgspec.json.decode(frame.data) for frame in frames + change.finish()]


def delta(text: str, number: int, kind: str = "output_text", **more: Any) -> dict[str, Any]:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    return {"type": f"response.{kind}.delta", "sequence_number": number, **place, "delta": text, **more}


def test_each_kind_has_its_placeholder_wherever_it_stands() -> None:
    items = [user(f"{KEY} and {MAIL}"), call(json.dumps({"cmd": f"echo {MAIL} B-17"})), {"type": "x", "output": PEM}]
    body = {"model": MAIL, "instructions": f"mail {MAIL}", "input": items, "tools": [{"type": "function", "name": KEY}]}
    after = changed(body, ALL)
    text = json.dumps(after)
    assert after["instructions"] == "mail REDACTED_EMAIL_00001"
    assert after["input"][0]["content"][0]["text"] == "REDACTED_KEY_00002 and REDACTED_EMAIL_00001"
    assert json.loads(after["input"][1]["arguments"]) == {"cmd": "echo REDACTED_EMAIL_00001 REDACTED_BADGE_00003"}
    assert after["input"][2]["output"] == "REDACTED_PRIVATE_KEY_00004"
    assert after["tools"][0]["name"] == KEY, "a name is what its tool is called by"
    assert "MIIE" not in text


def test_a_request_without_secrets_stays_the_bytes_it_was() -> None:
    raw = b'{"model":"m",  "input":[ {"role":"user","content":"hi"}],"x":1.0}'
    assert run(raw, ALL) == (raw, [])


def test_items_without_secrets_stay_the_bytes_they_were() -> None:
    raw = b'{"model":"m","input":[{ "role":"user","content":"hi"},{"content":"' + KEY.encode() + b'"}]}'
    assert run(raw, ALL)[0] == b'{"model":"m","input":[{ "role":"user","content":"hi"},{"content":"REDACTED_KEY_00001"}]}'


def test_numbers_stay_as_the_conversation_grows() -> None:
    first = [user(f"{KEY} {MAIL}")]
    later = [*first, user("B-1"), user(MAIL)]
    tools = [{"type": "function", "name": "f", "description": "ask B-9"}]
    short, long = (changed({"input": items, "tools": tools}, ALL) for items in (first, later))
    assert long["input"][0] == short["input"][0]
    assert long["tools"] == short["tools"]


def test_texts_come_back_also_in_pieces_and_numbers_grow_by_one() -> None:
    change = answer_to({"input": [user(f"my mail is {MAIL}")]})
    done = {**delta("", 4), "type": "response.output_text.done", "text": "to REDACTED_EMAIL_00001 or REDACTED_EM"}
    done.pop("delta")
    got = events(
        change,
        delta("to REDAC", 1),
        delta("TED_EMAIL_0000", 2),
        delta("1 or REDACTED_EM", 3),
        done,
        {"type": "response.completed", "sequence_number": 5, "response": {"output": [{"text": "REDACTED_EMAIL_00001"}]}},
    )
    assert "".join(event.get("delta", "") for event in got) == f"to {MAIL} or REDACTED_EM"
    assert got[-2]["text"] == f"to {MAIL} or REDACTED_EM"
    assert got[-1]["response"]["output"][0]["text"] == MAIL
    assert [event["sequence_number"] for event in got] == [1, 2, 3, 4, 5, 6]
    assert {event["item_id"] for event in got[:-1]} == {"msg_1"}


def test_what_is_held_back_at_the_end_comes_before_the_end() -> None:
    change = answer_to({"input": [user(MAIL)]})
    got = events(change, delta("RED", 1), {"type": "response.failed", "sequence_number": 2, "response": {}})
    assert [(event["type"], event.get("delta")) for event in got] == [
        ("response.output_text.delta", ""),
        ("response.output_text.delta", "RED"),
        ("response.failed", None),
    ]


def test_arguments_stay_json_when_a_secret_needs_escapes() -> None:
    change = answer_to({"input": [user(PEM)]})
    pieces = ['{"text":"', "REDACTED_PRIVATE_", 'KEY_00001"}']
    kind = "function_call_arguments"
    got = events(change, *(delta(piece, number, kind) for number, piece in enumerate(pieces)))
    assert json.loads("".join(event["delta"] for event in got)) == {"text": PEM}
    whole = msgspec.json.decode(change.whole(msgspec.json.encode({"output": [call("".join(pieces))]})))
    assert json.loads(whole["output"][0]["arguments"]) == {"text": PEM}


def test_two_texts_side_by_side_do_not_mix() -> None:
    change = answer_to({"input": [user(MAIL)]})
    got = events(
        change,
        delta("REDACTED_", 1),
        delta("REDACTED_", 2, content_index=1),
        delta("EMAIL_00001", 3),
        delta("!", 4, content_index=1),
    )
    assert [event["delta"] for event in got] == ["", "", MAIL, "REDACTED_!"]


def test_a_summary_of_a_conversation_is_redacted_and_restored_inside_its_envelope() -> None:
    item = summary.item(f"the key is {KEY}", "cmp_1")
    body = {"input": [item, user("go on")]}
    hidden = changed(body, ALL)["input"][0]
    assert summary.text_of(hidden) == "the key is REDACTED_KEY_00001"
    whole = msgspec.json.decode(answer_to(body).whole(msgspec.json.encode({"output": [hidden]})))
    assert whole["output"] == [item]


def test_without_restore_the_answer_is_left_alone() -> None:
    [effect] = run({"input": [user(MAIL)]}, {**ALL, "restore": False})[1]
    assert (effect.note, effect.answer) == ("redact 1 secrets", None)


SECRETS = st.sampled_from([KEY, MAIL, PEM, "B-1", "B-12"])
TRICKY = st.sampled_from(
    ["REDACTED_", "REDACTED_BADGE_00001", "REDACTED_BADGE_0000", "REDACTED_LITERAL_00001", "_0000", "1", "R", "@", "\\n", "\\"]
)
TEXT = st.lists(SECRETS | TRICKY | st.text(max_size=5), max_size=12).map("".join)
PATTERNS = {
    "KEY": r"sk-[A-Za-z0-9_-]{16,}",
    "EMAIL": r"[\w.]+@[\w.]+\.\w+",
    "BADGE": r"B-\d+",
    "PEM": r"(?s:-----BEGIN.*?KEY-----.*?KEY-----)",
}


@given(st.lists(TEXT, min_size=1, max_size=3), st.data(), st.booleans())
def test_what_was_hidden_comes_back_however_it_is_cut(texts: list[str], data: st.DataObject, in_json: bool) -> None:
    """The identity, for texts and for JSON in a text."""
    texts = [json.dumps(text) if in_json else text for text in texts]
    placeholders = Placeholders(PATTERNS)
    hidden = [placeholders.hide(text, in_json=in_json) for text in texts]
    for text, safe in zip(texts, hidden, strict=True):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(safe)), max_size=8)))
        pieces = Pieces(placeholders, in_json=in_json)
        back = [pieces.feed(safe[begin:end]) for begin, end in zip([0, *cuts], [*cuts, len(safe)], strict=True)]
        assert "".join(back) + pieces.finish() == text


@pytest.mark.parametrize(
    "secret",
    [KEY, MAIL, PEM, "ghp_" + "a" * 36, "AKIA" + "A1" * 8, "Bearer " + "x" * 20, "eyJhbGciOiJI.eyJzdWIiOiIxMjM.c2lnbmF0dXJl"],
)
def test_no_part_of_a_known_secret_leaves(secret: str) -> None:
    hidden = run({"input": [user(f"it is {secret}.")]}, ALL)[0].decode()
    assert not any(secret[place : place + 8] in hidden for place in range(len(secret) - 8))
