import pytest
from codex_shim.stages.egress_http.config import Quirks
from codex_shim.stages.egress_http.dialects import Target
from codex_shim.stages.egress_http.dialects.responses.service import service_of


@pytest.mark.parametrize(
    ("host", "openai"),
    [
        ("api.openai.com", True),
        ("eu.api.openai.com", True),
        ("mine.openai.azure.com", True),
        ("openai.com.example.org", False),
        ("notopenai.com", False),
        ("127.0.0.1", False),
        ("", False),
    ],
)
def test_whose_opaque_state_is_openais(host: str, openai: bool) -> None:
    service = service_of(Target(model="m", host=host))
    assert service.openai is openai
    assert (service.tools is None) is openai


def test_a_quirk_outranks_the_host() -> None:
    quirks = Quirks(native_tools=["custom"])
    assert service_of(Target(model="m", host="api.openai.com", quirks=quirks)).tools == {"function", "custom"}
