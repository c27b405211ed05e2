// Shows what /api/models, /api/chain and /api/usage tell, and asks /api/switch for another model. Every text is put in as text,
// never as markup.

const EVERY_MS = 2000;
const USAGE_MS = 10000;
const PATIENCE_MS = 15000;
const FILTER_FROM = 9; // fewer models are seen at a glance
const PASSING = new Set(["starting", "restarting", "waiting", "stopping", "leased"]);

const byId = (id) => document.getElementById(id);
const cards = new Map(); // slug → {item, button, shown, model}
let token = document.querySelector("meta[name=page-token]").content;
let order = "";
let timer = 0;
let usageAt = 0;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// A sentence, with what stands between backticks as code.
function prose(sentence) {
  return sentence.split("`").map((part, place) => (place % 2 ? element("code", { textContent: part }) : part));
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// Only where it differs: a screen reader would say it again, and a selection would be lost.
function rewrite(id, ...parts) {
  const place = byId(id);
  const now = element("div", {}, ...parts);
  if (now.textContent !== place.textContent) place.replaceChildren(...now.childNodes);
}

// -- asking ----------------------------------------------------------------------------------------------------------

async function ask(path, options = {}) {
  const answer = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const error = new Error(told.error?.message ?? `the chain answered with HTTP ${answer.status}`);
    error.status = answer.status;
    throw error;
  }
  return told;
}

function requestSwitch(slug) {
  const headers = { "content-type": "application/json", "x-codex-shim-picker-token": token };
  return ask("/api/switch", { method: "POST", headers, body: JSON.stringify({ slug }) });
}

// A chain that was started anew has another token than this page.
async function freshToken() {
  const text = await (await fetch("/picker")).text();
  return /name="page-token" content="([0-9a-f]+)"/.exec(text)?.[1] ?? token;
}

async function choose(slug) {
  const { button, model } = cards.get(slug);
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    const done = await requestSwitch(slug).catch(async (error) => {
      if (error.status !== 403) throw error;
      token = await freshToken();
      return requestSwitch(slug);
    });
    say(`Codex starts with ${model.display_name} from now on.`, done.next, done.trouble);
  } catch (error) {
    say(`Codex was not switched to ${model.display_name}: ${error.message}`, null, null, true);
  } finally {
    button.removeAttribute("aria-busy");
  }
  await refresh();
}

function say(told, command, trouble, bad = false) {
  const parts = prose(told);
  if (command) parts.push(" Sessions that are open keep their model. In a terminal: ", element("code", { textContent: command }));
  if (trouble) parts.push(" Your own Codex has a problem: ", ...prose(trouble));
  byId("result").className = bad || trouble ? "note bad" : "note";
  byId("result").replaceChildren(...parts);
}

// -- models ----------------------------------------------------------------------------------------------------------

function tokens(count) {
  if (count >= 1e6) return `${+(count / 1e6).toFixed(1)}M`;
  return count >= 1000 ? `${Math.round(count / 1000)}k` : `${count}`;
}

function facts(model) {
  const found = [];
  const { efforts } = model;
  if (model.context) found.push(`${tokens(model.context)} context`);
  if (model.images) found.push("images");
  if (model.tools) found.push("tools");
  if (efforts.length) found.push(`reasoning ${efforts.length > 1 ? `${efforts[0]} – ${efforts.at(-1)}` : efforts[0]}`);
  return found;
}

function look(state) {
  return PASSING.has(state) ? "passing" : state === "ready" ? "ready" : state === "asleep" ? "asleep" : "failed";
}

function health({ state, usable, reason }) {
  const kind = usable || PASSING.has(state) ? look(state) : "failed";
  const said = sentence(reason ?? (state === "asleep" ? "asleep, starts with its first request" : state));
  return element("span", { className: `health ${kind}` }, element("span", { className: "dot" }), element("span", {}, ...prose(said)));
}

function fill(card, model) {
  const { button } = card;
  const name = element("span", { className: "name", id: `name-${model.slug}`, textContent: model.display_name });
  const about = element("span", { id: `about-${model.slug}`, className: "about" });
  const chips = facts(model).map((fact) => element("span", { textContent: fact }));
  const names = [...new Set([model.slug, model.model])].filter((each) => each !== model.display_name);
  about.append(
    element("span", { className: "origin", textContent: [model.provider, ...names].join(" · ") }),
    element("span", { className: "facts" }, ...chips.flatMap((chip) => [chip, " "])),
    health(model.health),
  );
  const top = element("span", { className: "top" }, name);
  if (model.active) top.append(element("span", { className: "active", textContent: "in use" }));
  button.replaceChildren(top, about);
  button.setAttribute("aria-labelledby", name.id);
  button.setAttribute("aria-describedby", about.id);
  if (model.active) button.setAttribute("aria-current", "true");
  else button.removeAttribute("aria-current");
}

function newCard(slug) {
  const button = element("button", { type: "button", className: "model" });
  button.dataset.slug = slug;
  button.addEventListener("click", () => choose(slug));
  const card = { item: element("li", {}, button), button, shown: "" };
  cards.set(slug, card);
  return card;
}

// Only what has changed is touched, so that nobody loses the focus, or a screen reader its place.
function showModels(models) {
  for (const model of models) {
    const card = cards.get(model.slug) ?? newCard(model.slug);
    const shown = JSON.stringify(model);
    if (card.shown !== shown) fill(card, model);
    Object.assign(card, { shown, model });
  }
  const slugs = models.map((model) => model.slug);
  for (const slug of [...cards.keys()].filter((each) => !slugs.includes(each))) cards.delete(slug);
  if (order !== slugs.join("\n")) {
    order = slugs.join("\n");
    byId("models").replaceChildren(...slugs.map((slug) => cards.get(slug).item));
  }
  byId("filter-box").hidden = models.length < FILTER_FROM;
  filter();
}

function filter() {
  const words = byId("filter-box").hidden ? [] : byId("filter").value.toLowerCase().split(/\s+/);
  let seen = 0;
  for (const { item, model } of cards.values()) {
    const text = `${model.slug} ${model.display_name} ${model.provider} ${model.model}`.toLowerCase();
    item.hidden = !words.every((word) => text.includes(word));
    seen += item.hidden ? 0 : 1;
  }
  rewrite("count", seen === cards.size ? `${seen}` : `${seen} of ${cards.size}`, element("span", { className: "unseen", textContent: " models" }));
}

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

function move(event) {
  const buttons = [...cards.values()].filter((card) => !card.item.hidden).map((card) => card.button);
  const place = buttons.indexOf(document.activeElement);
  if (place < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  const to = { Home: 0, End: buttons.length - 1 }[event.key] ?? place + STEPS[event.key];
  if (buttons[to] === undefined) return;
  event.preventDefault();
  buttons[to].focus();
}

// -- the chain -------------------------------------------------------------------------------------------------------

function row(name, kind, state, more) {
  const parts = [element("span", { className: "dot" }), element("span", { className: "name", textContent: name })];
  parts.push(" ", element("span", { className: "state", textContent: state }));
  if (more) parts.push(" ", element("span", { className: "more" }, ...prose(sentence(more))));
  return element("li", { className: `stage ${kind}` }, ...parts);
}

function stageRow(stage) {
  const starts = stage.restarts ? `restarted ${stage.restarts === 1 ? "once" : `${stage.restarts} times`}` : "";
  const more = [starts, stage.last_exit].filter(Boolean).join(": ");
  return row(stage.name, look(stage.state), stage.state, more);
}

function loginRow([name, login]) {
  const title = { chatgpt: "ChatGPT", cursor: "Cursor" }[name] ?? name;
  return row(title, login.usable ? "ready" : "asleep", login.usable ? "on offer" : "not on offer", login.reason);
}

function showChain(chain) {
  const placed = (place) => chain.stages.filter((stage) => stage.place === place).map(stageRow);
  rewrite("chain", ...placed("chain"));
  rewrite("workers", ...placed("egress"));
  rewrite("logins", ...Object.entries(chain.logins).map(loginRow));
  byId("workers-title").hidden = byId("workers").childElementCount === 0;
  rewrite("address", "Codex connects to ", element("code", { textContent: chain.url }));
}

function showSummary(codex, models) {
  const active = models.find((model) => model.active);
  const whose = codex.own ? "Your Codex starts with " : "Codex, with the configuration that codex-shim keeps for it, starts with ";
  const name = active?.display_name ?? codex.model;
  const parts = name ? [whose, element("strong", { textContent: name }), "."] : ["No model is chosen yet."];
  rewrite("summary", ...parts);
}

// -- usage -----------------------------------------------------------------------------------------------------------

const DEAREST = 3; // models that are named below a week

function usedRow(name, counts, part = false) {
  const cells = [element("span", { className: "name", textContent: name }), " ", element("span", { className: "cost", textContent: counts.cost })];
  const cached = counts.cached ? ` (${tokens(counts.cached)} cached)` : "";
  const requests = counts.requests === 1 ? "1 request" : `${counts.requests} requests`;
  const more = `${requests}, ${tokens(counts.input)} tokens in${cached}, ${tokens(counts.output)} out`;
  if (!part) cells.push(" ", element("span", { className: "more", textContent: more }));
  return element("li", { className: part ? "used part" : "used" }, ...cells);
}

// It is no part of the chain's health, so what goes wrong with it only hides it.
async function showUsage() {
  if (performance.now() < usageAt) return;
  usageAt = performance.now() + USAGE_MS;
  const told = await ask("/api/usage").catch(() => null);
  byId("usage-title").hidden = told === null;
  const week = told?.week.models.slice(0, DEAREST).map((model) => usedRow(model.slug, model, true)) ?? [];
  rewrite("usage", ...(told ? [usedRow("Today", told.today.total), usedRow("Last 7 days", told.week.total), ...week] : []));
}

// -- keeping up ------------------------------------------------------------------------------------------------------

async function refresh() {
  clearTimeout(timer);
  try {
    const [models, chain] = await Promise.all([ask("/api/models"), ask("/api/chain")]);
    showModels(models);
    showChain(chain);
    showSummary(chain.codex, models);
    missing("");
    await showUsage();
  } catch (error) {
    missing(error.status ? error.message : "The chain does not answer any more. `codex-shim start` starts it again.");
  }
  clearTimeout(timer);
  if (document.visibilityState === "visible") timer = setTimeout(refresh, EVERY_MS);
}

function missing(told) {
  rewrite("trouble", ...prose(told));
  byId("trouble").hidden = told === "";
  if (told) byId("result").replaceChildren();
  document.querySelector("main").classList.toggle("stale", told !== "");
}

byId("filter").addEventListener("input", filter);
byId("models").addEventListener("keydown", move);
document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? refresh() : clearTimeout(timer)));
refresh();
