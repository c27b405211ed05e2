"""mitmproxy between two stages: each piece as it comes, and nothing that speaks of one connection.

In pipeline.toml:  command = ["mitmdump", "--quiet", "--mode", "reverse:{next}", "--listen-host", "127.0.0.1",
                              "--listen-port", "{port}", "--set", "keep_host_header=true", "-s", "passing.py"]
"""

from mitmproxy import http

HOP_BY_HOP = ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "upgrade")


def requestheaders(flow: http.HTTPFlow) -> None:
    drop(flow.request.headers)


def responseheaders(flow: http.HTTPFlow) -> None:
    assert flow.response is not None
    drop(flow.response.headers)
    flow.response.stream = True


def drop(headers: http.Headers) -> None:
    named = [each.strip().lower() for each in headers.get("connection", "").split(",")]
    for name in (*HOP_BY_HOP, *named):
        headers.pop(name, None)
