"""The two edits, in all shapes that are known, and what is said where they do not fit."""

from __future__ import annotations

import re
import shutil
import subprocess

import codex_pages as pages
import pytest
from codex_shim.orchestrator.app.patches import PatchError, Plan, plan

A, B, C = "webview/assets/a.js", "webview/assets/b.js", "webview/assets/c.js"


def again(found: Plan, files: dict[str, bytes]) -> Plan:
    return plan({**files, **found.contents}.items())


@pytest.mark.parametrize(
    ("page", "gone", "stays"),
    [
        (pages.LOOP, b"_k=z&&h!==`amazonBedrock`,", b"_k=!1/*codex-shim:list*/,j="),
        (pages.SETTINGS, b"g.useHiddenModels&&f!==`amazonBedrock`,O", b"let K=!1/*codex-shim:useHiddenModels*/,O;"),
        (pages.HELPER + pages.CALLER, b"F&&!D&&B!==`amazonBedrock`", b"(!1/*codex-shim:list*/?C.has(E.model):!E.hidden)"),
        (pages.CATALOG, b"F&&!D&&B!==`amazonBedrock`", b"(G&&!E.hidden||(!1/*codex-shim:list*/?C.has(E.model)||H===2:!E.hidden))"),
        (pages.LOOP.replace(b"`", b'"'), b'_k=z&&h!=="amazonBedrock"', b"_k=!1/*codex-shim:list*/,j="),
    ],
    ids=["loop", "settings", "helper", "catalog", "quotes"],
)
def test_the_allow_list_is_switched_off(page: bytes, gone: bytes, stays: bytes) -> None:
    files = {A: page, B: pages.RECENT, C: b"nothing of it"}
    found = plan(files.items())
    assert [(place.edit, place.file, place.state) for place in found.places] == [("picker", A, "open"), ("threads", B, "open")]
    assert (gone in page, gone in found.contents[A], stays in found.contents[A]) == (True, False, True)
    assert set(found.contents) == {A, B}
    assert not found.done
    then = again(found, files)
    assert (then.done, then.contents, len(then.places)) == (True, {}, 2)


def test_newer_versions_have_it_in_two_places() -> None:
    found = plan(pages.NEW.items())
    assert [(place.edit, place.state) for place in found.places] == [("picker", "open"), ("picker", "open"), ("threads", "open")]
    (page,) = [content for path, content in found.contents.items() if "initial" in path]
    assert b"amazonBedrock" not in page
    assert b"e=>!1/*codex-shim:useHiddenModels*/?W.availableModels" in page
    assert again(found, pages.NEW).done


@pytest.mark.parametrize(
    "page", [pages.RECENT, pages.RECENT_LATER, pages.OTHER_LISTS + pages.RECENT_LATER], ids=["early", "late", "others"]
)
def test_recent_threads_are_those_of_all_providers_and_other_lists_stay(page: bytes) -> None:
    after = plan([(A, pages.LOOP), (B, page)]).contents[B]
    assert (after.count(b"modelProviders:[]"), page.count(b"null") - after.count(b"null")) == (1, 1)
    assert after.replace(b"modelProviders:[]", b"modelProviders:null") == page


@pytest.mark.parametrize(
    "page",
    [
        pages.LOOP.replace(b"z&&h!==`amazonBedrock`", b"!1"),
        pages.HELPER.replace(b"F&&!D&&B!==`amazonBedrock`", b"!1"),
    ],
    ids=["loop", "helper"],
)
def test_what_another_tool_has_edited_counts_as_done(page: bytes) -> None:
    found = plan([(A, page), (B, pages.RECENT.replace(b":null", b":[]"))])
    assert (found.done, found.contents) == (True, {})


def test_what_is_half_done_is_finished() -> None:
    found = plan([(A, pages.LOOP), (B, pages.RECENT.replace(b":null", b":[]"))])
    assert [place.state for place in found.places] == ["open", "applied"]
    assert set(found.contents) == {A}


def test_both_edits_may_be_in_one_file() -> None:
    found = plan([(A, pages.HELPER + pages.RECENT + pages.FILTER)])
    assert (found.contents[A].count(b"codex-shim"), b"modelProviders:[]" in found.contents[A]) == (2, True)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({A: b"", B: pages.RECENT}, "the allow-list of the model picker was not found: no page mentions `useHiddenModels`"),
        (
            {A: b"if(useHiddenModels)x()", B: pages.RECENT},
            f"not found: `useHiddenModels` is in {A}, but not in a form that is known here",
        ),
        ({A: pages.LOOP, B: b""}, "the filter of the recent threads was not found: no page mentions `listRecentThreads`"),
        ({A: pages.LOOP, B: pages.OTHER_LISTS}, f"`listRecentThreads` is in {B}, but not in a form"),
        (
            {A: pages.LOOP, B: pages.RECENT, C: pages.LOOP},
            f"picker was found in 2 places ({A}, {C}), and only one of them can be meant",
        ),
        ({A: pages.LOOP, B: pages.RECENT * 2}, f"recent threads was found in 2 places ({B}), and only one"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_found(files: dict[str, bytes], words: str) -> None:
    with pytest.raises(PatchError, match=re.escape(words)):
        plan(files.items())


def test_a_place_far_into_a_page_is_found_once() -> None:
    noise = b"useHiddenModels.listRecentThreads(x);" * 300
    page = noise + pages.HELPER + noise + pages.FILTER + noise + pages.RECENT_LATER + noise
    found = plan([(A, page)])
    assert len(found.places) == 3
    assert found.contents[A].replace(noise, b"") == plan([(A, pages.HELPER + pages.FILTER + pages.RECENT_LATER)]).contents[A]


def test_a_version_that_shows_the_catalog_by_itself_is_recognised() -> None:
    assert plan([(A, pages.CATALOG + pages.RECENT)]).shows_catalog
    assert not plan([(A, pages.HELPER + pages.RECENT)]).shows_catalog


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js to run the pages")
def test_the_edited_pages_run_and_show_every_model() -> None:
    """Two shapes, run with an empty allow-list before and after."""
    models = '[{model:"m"},{model:"hidden",hidden:true}]'
    loop = f"Qx({{authMethod:'apikey',availableModels:new Set,models:{models},useHiddenModels:true}}).map(m=>m.model).join()"
    call = f"cM({{authMethod:'apikey',availableModels:new Set,models:{models},useHiddenModels:true}}).map(m=>m.model).join()"
    script = ""
    for page in (pages.LOOP + pages.RECENT, pages.HELPER + pages.CALLER + pages.RECENT):
        for text in (page, plan([(A, page)]).contents[A]):
            script += f"(()=>{{{text.decode()};console.log('shown:'+{loop if page.startswith(pages.LOOP) else call})}})();\n"
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True)
    assert done.stdout.split() == ["shown:", "shown:m", "shown:", "shown:m"], done.stderr
