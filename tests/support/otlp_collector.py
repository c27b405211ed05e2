"""An OpenTelemetry collector as small as can be: takes OTLP over HTTP, and remembers the spans."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from waiting import until


class OtlpCollector:
    """`spans` are dicts: name, trace, id, parent, start, end, kind, error, attributes, service."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, name="collector", daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def trace(self, trace: str, least: int) -> list[dict[str, Any]]:
        """The spans of one trace, once so many have come."""
        return until(lambda: found if len(found := self._of(trace)) >= least else [], f"{least} spans of {trace}")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _of(self, trace: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["trace"] == trace]

    def _take(self, body: bytes) -> None:
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = _values(group.resource.attributes)
            for span in (span for scope in group.scope_spans for span in scope.spans):
                self.spans.append(
                    {
                        "name": span.name,
                        "trace": span.trace_id.hex(),
                        "id": span.span_id.hex(),
                        "parent": span.parent_span_id.hex() or None,
                        "start": span.start_time_unix_nano,
                        "end": span.end_time_unix_nano,
                        "kind": span.kind,
                        "error": span.status.message if span.status.code == 2 else None,
                        "attributes": _values(span.attributes),
                        "service": resource.get("service.name"),
                    }
                )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                found = self.path == "/v1/traces"
                if found:
                    collector._take(body)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200 if found else 404)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
