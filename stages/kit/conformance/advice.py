"""What usually has to be changed where a check fails: one sentence for whoever wrote the stage. Data."""

from __future__ import annotations

ADVICE = {
    "streaming": "write each piece as it is read, and switch off what buffers: compression, `proxy_buffering`, whole bodies.",
    "cancel-streaming": "when the client's connection closes, close the one to the next hop: abort the request that is under way.",
    "cancel-waiting": "watch the client's connection also before the next hop has answered, and abort the request when it closes.",
    "unknown-fields": "change the fields that you mean and pass all others on; do not build the body anew from those you know.",
    "unknown-items": "pass items on that you do not know, in their place.",
    "unknown-events": "pass events on that you do not know, in their place.",
    "key-order": "write keys in the order they were read in: no sorting, and no type that keeps its fields in an order of its own.",
    "numbers": "change text instead of numbers, or use a parser that keeps integers whole.",
    "event-lines": "write `event: TYPE` before each `data:` line, as it came.",
    "terminal": "pass the terminal event on, once, and end the body behind it.",
    "broken-off": "when the next hop breaks off, destroy the client's connection instead of ending the body.",
    "shape": "change the text of events, not their kinds, ids and places.",
    "ids": "pass ids on as they are: Codex and the provider find calls and reasoning by them in the next turn.",
    "characters": "decode with a streaming decoder (`TextDecoder` with `stream: true`, an incremental decoder), or pass bytes.",
    "errors": "pass status, body and `retry-after` of the next hop on as they are.",
    "no-answer": "answer 502 with the contract's JSON error when the next hop cannot be reached.",
    "headers": "pass on all headers but those of one connection (docs/hop-contract.md).",
    "hop-by-hop": "drop `connection`, what it names, and the other headers of one connection.",
    "long-header": "raise the limit for headers; Node.js has `--max-http-header-size`, nginx `large_client_header_buffers`.",
    "large-body": "raise the limit for bodies; nginx has `client_max_body_size`.",
    "concurrent": "serve requests side by side, with as many connections to the next hop as there are.",
    "token": "answer 401 to whoever does not send `authorization: Bearer` with CODEX_SHIM_HOP_TOKEN.",
    "authorization": "send `authorization: Bearer` with CODEX_SHIM_HOP_TOKEN to the next hop.",
    "drain": "on SIGTERM stop listening, let what streams end, then exit with 0.",
    "lifeline": "read standard input, and exit when it ends.",
}
