from typing import get_args

from codex_shim.stages.egress_http.config import DialectName
from codex_shim.stages.egress_http.dialects import DIALECTS


def test_every_dialect_a_row_may_name_is_there():
    assert set(DIALECTS) == set(get_args(DialectName))
