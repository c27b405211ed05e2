"""What can be known of Windows without it: the layouts that its documentation gives, and the program behind the script."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest
from codex_shim.stages.egress_cursor.running import windows_job
from codex_shim.stages.egress_cursor.running.windows_program import direct


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="the sizes are those of 64 bits")
def test_structures_have_the_sizes_of_the_documentation() -> None:
    assert ctypes.sizeof(windows_job.BasicLimits) == 64
    assert ctypes.sizeof(windows_job.ExtendedLimits) == 144
    assert ctypes.sizeof(windows_job.Accounting) == 48
    assert windows_job.ExtendedLimits.JobMemoryLimit.offset == 120
    assert windows_job.Accounting.ActiveProcesses.offset == 40


def test_a_job_ends_with_its_handle_and_has_its_share_of_memory() -> None:
    made = windows_job.limits(1 << 31)
    assert made.BasicLimitInformation.LimitFlags == 0x2000 | 0x200 | 0x8 | 0x400
    assert made.JobMemoryLimit == 1 << 31
    assert made.BasicLimitInformation.ActiveProcessLimit == windows_job.MOST_PROCESSES


def test_a_process_starts_suspended_in_a_group_of_its_own_without_a_window() -> None:
    assert windows_job.CREATION_FLAGS == 0x4 | 0x200 | 0x8000000


def test_the_newest_program_is_started_in_place_of_the_script(tmp_path: Path) -> None:
    """Two shells would cut the arguments anew."""
    for date in ("2026.09.18-abc", "2026.10.01-def", "2026.10.02-half"):
        (tmp_path / "versions" / date).mkdir(parents=True)
        (tmp_path / "versions" / date / "index.js").touch()
        if "half" not in date:
            (tmp_path / "versions" / date / "node.exe").touch()
    newest = tmp_path / "versions" / "2026.10.01-def"
    found = direct([str(tmp_path / "cursor-agent.CMD"), "-p"])
    assert found == [str(newest / "node.exe"), str(newest / "index.js"), "-p"]


def test_what_is_no_script_or_stands_alone_is_started_as_it_is(tmp_path: Path) -> None:
    for name in ("cursor-agent.exe", "cursor-agent.cmd"):
        assert direct([str(tmp_path / name), "-p"]) == [str(tmp_path / name), "-p"]
