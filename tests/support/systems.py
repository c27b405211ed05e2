"""Marks for tests that need what not every system has. The workflow runs the suite on Linux, macOS and Windows.

@needs_posix
def test_a_killed_program_comes_back() -> None: …

tests/test_other_systems.py sees to it that who uses such a thing bears the mark.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs scripts with `#!`, signals or links as POSIX has them")
needs_modes = pytest.mark.skipif(os.name != "posix", reason="needs modes that say who may read a file")
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux does it in this way")
