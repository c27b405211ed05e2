// A stage in Node.js with nothing but its standard library: masks what looks like an API key before it leaves this machine.
//
// In pipeline.toml:  command = ["node", "redact.mjs"]   config = { pattern = "sk-[A-Za-z0-9_-]{16,}" }
import { fstatSync, readFileSync } from "node:fs";
import http from "node:http";

const { CODEX_SHIM_STAGE: name, CODEX_SHIM_LISTEN: listen, CODEX_SHIM_NEXT: next, CODEX_SHIM_HOP_TOKEN: token } = process.env;
const config = process.env.CODEX_SHIM_CONFIG ? JSON.parse(readFileSync(process.env.CODEX_SHIM_CONFIG, "utf8")) : {};
const drainSeconds = Number(process.env.CODEX_SHIM_DRAIN_SECONDS ?? 30);
const pattern = new RegExp(config.pattern ?? "sk-[A-Za-z0-9_-]{16,}", "g");

// The body is changed as text. JSON.parse would round large numbers and sort keys like "10" and "9", and a request that is not
// the same bytes each turn misses the provider's prompt cache.
const change = (text) => text.replace(pattern, "[redacted]");

const HOP_BY_HOP = ["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
  "transfer-encoding", "upgrade"];
const REWRITTEN = ["host", "content-length", "accept-encoding", "expect"];
const HEADER_BYTES = 256 * 1024; // Codex sends headers beyond the 16 KiB that Node.js allows by default

function forwarded(headers, dropped) {
  const named = (headers.connection ?? "").split(",").map((each) => each.trim().toLowerCase());
  return Object.fromEntries(Object.entries(headers).filter(([key]) => !dropped.includes(key) && !named.includes(key)));
}

function fail(response, status, code, message) {
  if (response.headersSent) return response.destroy(); // cut off: half an answer must not look like a whole one
  const error = { message: `${name}: ${message}`, type: status < 500 ? "invalid_request_error" : "server_error", code, param: null };
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ error }));
}

async function serve(request, response) {
  if (request.url === "/health") {
    response.writeHead(200, { "content-type": "application/json" });
    return response.end(JSON.stringify({ ok: true, stage: name }));
  }
  if (token && request.headers.authorization !== `Bearer ${token}`) {
    return fail(response, 401, "invalid_api_key", "it was called without this run's hop token");
  }
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.from(change(Buffer.concat(chunks).toString("utf8")));
  const headers = { ...forwarded(request.headers, [...HOP_BY_HOP, ...REWRITTEN]), "content-length": body.length };

  const options = { method: request.method, headers, agent, maxHeaderSize: HEADER_BYTES };
  const upstream = http.request(next + request.url, options, (answer) => {
    response.writeHead(answer.statusCode, forwarded(answer.headers, [...HOP_BY_HOP, "content-length", "date"]));
    response.flushHeaders();
    answer.on("error", () => response.destroy()); // it broke off, so do we
    answer.pipe(response); // each piece as it comes
  });
  upstream.on("error", (error) => fail(response, 502, "server_error", `the next hop cannot be reached (${error.code ?? error.message})`));
  response.on("close", () => upstream.destroy()); // the client went away, or has it all
  upstream.end(body);
}

const agent = new http.Agent({ keepAlive: false }); // a new connection each time: none that the next hop may just be closing
const server = http.createServer({ maxHeaderSize: HEADER_BYTES, keepAliveTimeout: 120_000 }, (request, response) => {
  serve(request, response).catch(() => response.destroy());
});
const [, host, port] = listen.match(/^\[?(.+?)\]?:(\d+)$/);
server.listen(Number(port), host, () => console.error(`${name} listens at ${listen} and sends to ${next}`));

// Told to go, by SIGTERM: take nothing new, and end with the last stream. How long that may take is said by whoever holds our standard
// input: its end begins the drain time. Where nobody does, and on Ctrl-C, it begins at once.
let stopping = false;
function stop() {
  if (stopping) return;
  stopping = true;
  server.close(() => process.exit(0));
  setInterval(() => server.closeIdleConnections(), 50);
}
function stopSoon() {
  stop();
  setTimeout(() => process.exit(0), drainSeconds * 1000);
}
const stdin = fstatSync(0);
const held = stdin.isFIFO() || stdin.isSocket(); // a terminal is nobody's lifeline
process.on("SIGTERM", held ? stop : stopSoon);
process.on("SIGINT", stopSoon);
if (held) process.stdin.on("end", stopSoon).resume();
