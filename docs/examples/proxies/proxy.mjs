// A Node.js proxy between two stages, made of the npm package http-proxy. It streams and passes headers on by itself; told it must be
// what a client that leaves means, what a broken answer means, and that an error is JSON.
//
// In pipeline.toml:  command = ["node", "--max-http-header-size=262144", "proxy.mjs", "{port}", "{next}"]
// The limit is for Codex's turn metadata, a header longer than the 16 KiB that Node.js allows.
import http from "node:http";
import httpProxy from "http-proxy";

const [port, next] = process.argv.slice(2);
const proxy = httpProxy.createProxyServer({ target: next });

proxy.on("proxyReq", (asked, request, response) => {
  for (const name of ["te", "proxy-authorization"]) asked.removeHeader(name); // they speak of one connection
  response.on("close", () => asked.destroy()); // the client went away, or has it all
});
proxy.on("proxyRes", (answer, request, response) => {
  answer.on("error", () => response.destroy()); // it broke off, so do we: half an answer must not look like a whole one
});
proxy.on("error", (error, request, response) => {
  if (response.headersSent) return response.destroy();
  const failure = { message: `the Node.js proxy cannot reach ${next} (${error.code})`, type: "server_error", code: "server_error", param: null };
  response.writeHead(502, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: failure }));
});

const server = http.createServer((request, response) => proxy.web(request, response));
server.listen(Number(port), "127.0.0.1");
process.on("SIGTERM", () => server.close(() => process.exit(0))); // streams may finish
process.stdin.on("end", () => process.exit(0)).resume(); // nobody is left to serve
