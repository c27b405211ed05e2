from typing import Any

import pytest
from codex_shim.stages.contract.errors import HopError
from codex_shim.stages.contract.notes import Notes
from codex_shim.stages.egress_http.dialects.base import Target
from codex_shim.stages.egress_http.dialects.chat.parts import PartReader, collapse
from codex_shim.stages.egress_http.dialects.parts import text_part


def read(content: Any, images: bool = True) -> list[dict[str, Any]]:
    return PartReader(Target(model="m", images=images), Notes()).read(content, "input[3].content")


def test_text_in_its_many_forms():
    assert read(None) == read("") == read([]) == read([{"type": "input_text", "text": ""}]) == []
    assert read("a") == read(["a"]) == read([{"type": "output_text", "text": "a"}]) == [text_part("a")]
    assert read([{"type": "refusal", "refusal": "no"}]) == [text_part("no")]
    assert read({"ok": True}) == [text_part('{"ok":true}')]


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ({"type": "input_image", "file_id": "f"}, "input[3].content[1] is an image without an `image_url`"),
        ({"type": "input_audio", "input_audio": {}}, "input[3].content[1] is audio"),
        ({"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}, "is the file a.pdf"),
        ({"type": "input_file", "file_id": "x"}, "input[3].content[1] is the file"),
        ({"type": "input_file", "file_data": "data:text/plain;base64,!"}, "input[3].content[1] is the file"),
    ],
)
def test_what_cannot_be_put_in_words_is_refused_with_its_place(part: dict[str, Any], sentence: str):
    with pytest.raises(HopError) as caught:
        read(["a", part])
    assert sentence in caught.value.failure.message
    assert caught.value.failure.status == 400


def test_an_image_becomes_a_sentence_for_a_model_without_eyes():
    assert "left out" in read([{"type": "input_image", "image_url": "data:x"}], images=False)[0]["text"]


def test_only_text_is_one_string():
    assert collapse([text_part("a"), text_part("b")]) == "a\nb"
    mixed = [text_part("a"), {"type": "image_url", "image_url": {"url": "u"}}]
    assert collapse(mixed) is mixed
