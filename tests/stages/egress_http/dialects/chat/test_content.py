from codex_shim.stages.egress_http.dialects.chat.content import content_pieces, details_text


def test_thinking_and_text_come_in_their_order():
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": True},
        {"type": "text", "text": "yes"},
        "!",
        {"type": "x"},
        5,
    ]
    assert list(content_pieces(content)) == [("reasoning", "hm", {"closed": True}), ("text", "yes", {}), ("text", "!", {})]
    assert list(content_pieces({"type": "text", "text": "one"})) == [("text", "one", {})]
    assert list(content_pieces(5)) == []


def test_details_are_read_where_they_can_be():
    details = [
        {"type": "reasoning.text", "text": "a"},
        {"type": "reasoning.summary", "summary": "b"},
        {"type": "reasoning.encrypted", "data": "c"},
    ]
    assert details_text(details) == "ab"
    assert details_text({"content": "x"}) == "x"
    assert details_text("plain") == "plain"
    assert details_text([5, None, "d"]) == "d"
    assert details_text(7) == ""
