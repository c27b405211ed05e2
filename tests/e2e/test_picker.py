"""The picker page in a real browser, and what the real Codex does after a click. One chain and one browser serve all tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import marked
import pytest
from browser import Browser
from chat_answers import says
from codex_cli import Codex
from running_chain import RunningChain, StartChain
from scripted_upstream import ScriptedUpstream
from systems import needs_posix

MODELS = [("one", "One"), ("two", "Two"), ("three", "Three"), *((f"more-{place}", f"More {place}") for place in range(7))]


@pytest.fixture(scope="module")
def picker(
    keep_chain: StartChain,
    kept_provider: ScriptedUpstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Browser, RunningChain]]:
    window = Browser(tmp_path_factory.mktemp("browser") / "chromium")
    try:
        rows = [kept_provider.model(model=f"vendor/{slug}", slug=slug, display_name=name) for slug, name in MODELS]
        elsewhere = {"provider": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key": marked.key("elsewhere")}
        broken = {"model": "m", "slug": "broken", "display_name": "Broken", **elsewhere}
        chain = keep_chain(models=[*rows, broken])
        assert chain.stage("desk")["state"] == "asleep"
        window.open(f"{chain.origin}/picker")
        window.until(lambda: window.texts(".model"), "the models are shown")
        yield window, chain
    finally:
        window.close()


@pytest.fixture
def page(picker: tuple[Browser, RunningChain]) -> Iterator[Browser]:
    """The page; a test leaves no complaint in its console."""
    window, _ = picker
    yield window
    assert window.complaints() == []


@pytest.fixture
def page_chain(picker: tuple[Browser, RunningChain]) -> RunningChain:
    return picker[1]


def focused(page: Browser) -> str | None:
    return page.run("return document.activeElement.dataset?.slug ?? document.activeElement.id")


def current(page: Browser) -> list[str]:
    return page.run("return [...document.querySelectorAll('.model[aria-current]')].map(e => e.dataset.slug)")


def test_it_shows_the_models_the_active_one_and_the_chain(page: Browser, page_chain: RunningChain) -> None:
    assert page.texts(".model .name") == [*(name for _, name in MODELS), "Broken"]
    assert "128k context" in page.texts(".model")[0]
    assert current(page) == ["one"]
    assert "starts with One." in page.text("#summary")
    assert page.texts("#chain .name") == ["ingress", "policy", "router"]
    assert page.text("#address").split() == ["Codex", "connects", "to", page_chain.url]
    assert page_chain.stage("desk")["state"] == "ready"
    page.until(lambda: page.texts("#usage .name")[:2] == ["Today", "Last 7 days"], "what was used is shown")
    assert "tokens in" in page.text("#usage")


def test_a_screen_reader_gets_names_roles_and_landmarks(page: Browser) -> None:
    assert page.named(".model") == ("button", "One")
    assert page.named("#filter")[1] == "Filter the models by name, slug or provider"
    assert page.named("#models")[0] == "list"
    assert page.named("#chain")[0] == "list"
    assert (page.named("aside"), page.named("main")[0]) == (("complementary", "Chain"), "main")
    assert page.run("return document.documentElement.lang") == "en"
    decoration = "return [...document.querySelectorAll('img')].map(e => e.alt)"
    assert page.run(decoration) == [""]


def test_the_keyboard_alone_finds_filters_and_switches(page: Browser) -> None:
    page.run("document.activeElement.blur()")
    page.press("tab")
    assert focused(page) == "filter"
    page.press("more")
    page.until(lambda: page.text("#count").startswith("7 of 11"), "the others are filtered out")
    page.press("tab", "down", "end", "home", "down")
    assert focused(page) == "more-1"
    assert page.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus can be seen"
    page.press("enter")
    page.until(lambda: "Codex starts with More 1 from now on." in page.text("#result"), "the result is told")
    assert page.named("#result")[0] == "status", "a screen reader hears of it"
    page.until(lambda: current(page) == ["more-1"], "it is the active one")
    assert focused(page) == "more-1", "nobody loses the place"
    page.run("const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('input'))")
    assert len(page.texts(".model")) == 11


def test_codex_asks_the_model_that_was_clicked(
    page: Browser, page_chain: RunningChain, provider: ScriptedUpstream, bare_codex: Codex
) -> None:
    """And what else stands in its configuration stays."""
    page.click("[data-slug=two]")
    page.until(lambda: current(page) == ["two"], "the click has switched")
    bare_codex.use(page_chain)
    provider.script(says("done"))
    seen = len(provider.requests)
    assert bare_codex.exec("hello").text == "done"
    assert [request.body["model"] for request in provider.requests[seen:]] == ["vendor/two"]


@needs_posix
def test_a_stage_that_dies_is_seen_by_itself(page: Browser, page_chain: RunningChain) -> None:
    worker = "127-0-0-1-9"
    assert "Restarted" not in page.text("#workers")
    os.kill(page_chain.pids[worker], signal.SIGKILL)
    page.until(lambda: "Restarted once: killed by SIGKILL" in page.text("#workers"), "the page shows what happened")
    page.until(lambda: f"{worker}\nready" in page.text("#workers"), "and that it is there again")
    assert "Ready" in page.text("[data-slug=broken] .health")


def test_it_asks_only_while_somebody_looks(page: Browser, page_chain: RunningChain) -> None:
    """And what it asks for every other second is not in the logs."""
    page.run(
        """
        const [set, clear] = [window.setTimeout, window.clearTimeout];
        window.waiting = new Set();
        window.setTimeout = (work, ms) => { const made = set(work, ms); waiting.add(made); return made; };
        window.clearTimeout = (made) => { waiting.delete(made); clear(made); };
        window.seen = (state) => {
          Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        };
        """
    )
    page.until(lambda: page.run("return waiting.size"), "it waits for the moment to look again")
    page.run("seen('hidden')")
    page.until(lambda: page.run("return waiting.size") == 0, "it waits no longer")
    page.run("seen('visible')")
    page.until(lambda: page.run("return waiting.size"), "it has looked, and will again")
    page.run("delete document.visibilityState")
    assert not [line for line in page_chain.logs("ingress") if line.get("path") == "/api/models"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 380, 1280])
def test_nothing_is_cut_off_and_every_text_can_be_read(page: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    page.size(width, 800)
    page.colours(scheme)
    assert page.run("return document.documentElement.scrollWidth") <= width
    assert page.run(CONTRAST) == []


# WCAG's contrast of every text with what is behind it: at least 4.5.
CONTRAST = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, place) => sum + v * [0.2126, 0.7152, 0.0722][place], 0);
const behind = (e) => {
  const colour = parse(getComputedStyle(e).backgroundColor);
  return colour.length < 4 || colour[3] > 0 ? colour : behind(e.parentElement);
};
const wrong = [];
for (const e of document.querySelectorAll("body *")) {
  if (!e.checkVisibility() || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
  const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) wrong.push(`${e.className || e.tagName}: ${e.textContent.slice(0, 40)}`);
}
return wrong;
"""
