"""What the exporter is told by the orchestrator; `otel` of [pipeline] decides whether there is one."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, kw_only=True):
    """`control` is the file with the port and the restricted token by which the orchestrator is asked. `endpoint` is the base URL
    of the collector; where it is empty, OTEL_EXPORTER_OTLP_ENDPOINT and its kin say it.
    """

    control: str = ""
    endpoint: str = ""
