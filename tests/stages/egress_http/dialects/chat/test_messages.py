from codex_shim.stages.egress_http.config import Quirks
from codex_shim.stages.egress_http.dialects.chat.messages import Conversation
from codex_shim.stages.egress_http.dialects.chat.reasoning import Kept
from codex_shim.stages.egress_http.dialects.parts import text_part


def roles(conversation: Conversation) -> list[str]:
    return [message["role"] for message in conversation.end()]


def test_what_is_said_between_calls_and_their_outputs_waits_behind_them():
    talk = Conversation(Quirks())
    talk.call("a", "f", "{}", answered=True)
    talk.call("b", "f", "{}", answered=True)
    talk.result("b", [text_part("two")])
    talk.user([text_part("between")])
    talk.assistant("still my turn")
    talk.result("a", [text_part("one")])
    said, one, two, user = talk.end()
    assert said["content"] == "still my turn"
    assert [call["id"] for call in said["tool_calls"]] == ["a", "b"]
    assert (one["content"], two["content"], user["content"]) == ("one", "two", "between")


def test_calls_behind_an_output_are_a_new_message():
    talk = Conversation(Quirks())
    for id in ("a", "b"):
        talk.call(id, "f", "{}", answered=True)
        talk.result(id, [])
    assert roles(talk) == ["assistant", "tool", "assistant", "tool"]


def test_a_call_nobody_answers_holds_nothing_up():
    talk = Conversation(Quirks())
    talk.call("a", "f", "{}", answered=False)
    talk.user([text_part("go on")])
    assert [message["content"] for message in talk.end()] == ["", "(no output was recorded)", "go on"]


KEPT = Kept(kind="text", text="hm", data="reasoning_content")


def test_fields_of_state_stand_on_the_message_they_belong_to():
    talk = Conversation(Quirks(reasoning_back="always"))
    talk.state(KEPT)
    talk.call("a", "f", "{}", answered=False)
    assert talk.end()[0]["reasoning_content"] == "hm"


def test_state_that_belongs_to_nothing_leaves_no_message():
    talk = Conversation(Quirks())
    talk.user([text_part("hi")])
    talk.state(KEPT)
    assert roles(talk) == ["user"]


def test_empty_messages_are_not_sent():
    talk = Conversation(Quirks())
    talk.instruct([])
    talk.user([])
    talk.assistant("")
    assert talk.end() == []


def test_instructions_join_the_leading_message_only_until_the_talk_begins():
    talk = Conversation(Quirks())
    talk.instruct([text_part("one"), text_part("two")])
    talk.user([text_part("hi")])
    talk.instruct([text_part("three")])
    assert [message["content"] for message in talk.end()] == ["one\n\ntwo", "hi", "<developer>\nthree\n</developer>"]
