"""The ordering rules one by one; whole histories are among the transcripts."""

from __future__ import annotations

from typing import Any

from codex_shim.stages.egress_http.dialects.messages.conversation import NO_OUTPUT, OPENING, Conversation, in_bare_loop
from codex_shim.stages.egress_http.dialects.messages.reasoning import redacted, thinking
from codex_shim.stages.egress_http.dialects.parts import text_part

THOUGHT = thinking("t", "s")


def shapes(talk: Conversation) -> list[tuple[str, list[str]]]:
    return [(message["role"], [_shape(block) for block in message["content"]]) for message in talk.end()]


def _shape(block: dict[str, Any]) -> str:
    return block.get("text") or block.get("id") or block.get("tool_use_id") or block["type"]


def talk_of(*calls: str, answered: bool = True) -> Conversation:
    talk = Conversation()
    talk.user([text_part("go")])
    for id in calls:
        talk.call(id, "f", "{}", answered)
    return talk


def test_results_come_first_and_in_the_order_of_the_calls():
    """D17: a picture, or a word of the user's, between two results is refused."""
    talk = talk_of("a", "b")
    talk.user([text_part("meanwhile")])
    talk.result("b", [text_part("B")])
    talk.result("a", [{"type": "image", "source": {}}])
    assert shapes(talk) == [("user", ["go"]), ("assistant", ["a", "b"]), ("user", ["a", "b", "meanwhile"])]


def test_an_instruction_without_words_is_none():
    talk = talk_of()
    talk.instruct([text_part(" ")])
    talk.instruct([])
    assert (talk.system, shapes(talk)) == ([], [("user", ["go"])])


def test_a_call_nobody_answered_gets_an_answer():
    talk = talk_of("a", answered=False)
    (_, _, last) = talk.end()
    assert last["content"] == [{"type": "tool_result", "tool_use_id": "a", "content": [text_part(NO_OUTPUT)]}]


def test_thinking_stays_where_it_stood_between_calls():
    """D13: moved or merged, its signature would not fit."""
    talk = talk_of()
    talk.state(THOUGHT)
    talk.call("a", "f", "{}", True)
    talk.state(redacted("x"))
    talk.assistant("And.")
    talk.call("b", "f", "{}", True)
    talk.result("a", [])
    talk.result("b", [])
    assert shapes(talk)[1] == ("assistant", ["thinking", "a", "redacted_thinking", "And.", "b"])


def test_thinking_that_led_to_nothing_is_left_out():
    talk = talk_of()
    talk.state(THOUGHT)
    talk.user([text_part("no")])
    talk.assistant("Yes.")
    talk.state(THOUGHT)
    assert shapes(talk) == [("user", ["go", "no"]), ("assistant", ["Yes."])]


def test_the_user_speaks_first():
    talk = Conversation()
    talk.assistant("Hello.")
    assert shapes(talk) == [("user", [OPENING]), ("assistant", ["Hello."])]


def test_instructions_are_the_system_prompt_only_before_the_talk_begins():
    talk = Conversation()
    talk.instruct([text_part("one"), text_part(" \n")])
    talk.instruct([text_part("two")])
    talk.user([text_part("go")])
    talk.instruct([text_part("late")])
    assert talk.system == [text_part("one"), text_part("two")]
    assert shapes(talk) == [("user", ["go", "<developer>", "late", "</developer>"])]


def test_a_loop_is_bare_where_its_first_call_was_made_without_thinking():
    def loop(*begin: dict[str, Any]) -> Conversation:
        talk = talk_of()
        for block in begin:
            talk.state(block)
        for id in ("a", "b"):
            talk.call(id, "f", "{}", True)
            talk.result(id, [text_part("ok")])
        return talk

    assert in_bare_loop(loop().end())
    assert not in_bare_loop(loop(THOUGHT).end())
    over = loop()
    over.assistant("Done.")
    over.user([text_part("next")])
    assert not in_bare_loop(over.end())
    assert not in_bare_loop(talk_of().end())
