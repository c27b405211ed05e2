"""A Windows job object: a box that a process and all its descendants are in, and that ends them when it is closed, however the
worker ends. Not run on any machine of ours; the layouts and numbers below are tested against Microsoft's documentation.
"""

from __future__ import annotations

import ctypes
from ctypes import wintypes
from typing import Any

CREATE_SUSPENDED = 0x0000_0004
CREATE_NEW_PROCESS_GROUP = 0x0000_0200
CREATE_NO_WINDOW = 0x0800_0000
# Suspended until it is in its box, so that nothing it starts is outside.
CREATION_FLAGS = CREATE_SUSPENDED | CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW

LIMIT_ACTIVE_PROCESS = 0x0000_0008
LIMIT_JOB_MEMORY = 0x0000_0200
LIMIT_DIE_ON_UNHANDLED_EXCEPTION = 0x0000_0400
LIMIT_KILL_ON_JOB_CLOSE = 0x0000_2000

MOST_PROCESSES = 256
_BASIC_ACCOUNTING, _EXTENDED_LIMIT = 1, 9
_TERMINATE_SET_QUOTA_SUSPEND_RESUME = 0x0001 | 0x0100 | 0x0800


class BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION"""

    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION"""

    _fields_ = (
        ("BasicLimitInformation", BasicLimits),
        ("IoInfo", ctypes.c_ulonglong * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class Accounting(ctypes.Structure):
    """JOBOBJECT_BASIC_ACCOUNTING_INFORMATION"""

    _fields_ = (
        ("Times", ctypes.c_int64 * 4),
        ("TotalPageFaultCount", ctypes.c_uint32),
        ("TotalProcesses", ctypes.c_uint32),
        ("ActiveProcesses", ctypes.c_uint32),
        ("TotalTerminatedProcesses", ctypes.c_uint32),
    )


def limits(memory: int) -> ExtendedLimits:
    """`memory` in bytes, of the whole job. Beyond it allocations fail. Pure."""
    made = ExtendedLimits()
    made.BasicLimitInformation.LimitFlags = (
        LIMIT_KILL_ON_JOB_CLOSE | LIMIT_JOB_MEMORY | LIMIT_ACTIVE_PROCESS | LIMIT_DIE_ON_UNHANDLED_EXCEPTION
    )
    made.BasicLimitInformation.ActiveProcessLimit = MOST_PROCESSES
    made.JobMemoryLimit = memory
    return made


class Job:
    """Raises `OSError` where the system refuses."""

    def __init__(self, memory: int) -> None:
        self._kernel: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # pyright: ignore[reportAttributeAccessIssue]
        self._nt: Any = ctypes.WinDLL("ntdll")  # pyright: ignore[reportAttributeAccessIssue]
        self._kernel.CreateJobObjectW.restype = wintypes.HANDLE
        self._kernel.OpenProcess.restype = wintypes.HANDLE
        self._handle = wintypes.HANDLE(self._checked(self._kernel.CreateJobObjectW(None, None)))
        wanted = limits(memory)
        size = wintypes.DWORD(ctypes.sizeof(wanted))
        self._checked(self._kernel.SetInformationJobObject(self._handle, _EXTENDED_LIMIT, ctypes.byref(wanted), size))

    def adopt(self, pid: int) -> None:
        """Take in a suspended process, and let it go on."""
        process = wintypes.HANDLE(
            self._checked(self._kernel.OpenProcess(_TERMINATE_SET_QUOTA_SUSPEND_RESUME, False, wintypes.DWORD(pid)))
        )
        try:
            self._checked(self._kernel.AssignProcessToJobObject(self._handle, process))
            if self._nt.NtResumeProcess(process) != 0:
                raise OSError("NtResumeProcess refused")
        finally:
            self._kernel.CloseHandle(process)

    def living(self) -> int:
        """How many processes are in it."""
        facts = Accounting()
        size = wintypes.DWORD(ctypes.sizeof(facts))
        self._checked(self._kernel.QueryInformationJobObject(self._handle, _BASIC_ACCOUNTING, ctypes.byref(facts), size, None))
        return facts.ActiveProcesses

    def end(self) -> None:
        """All of them, at once."""
        self._kernel.TerminateJobObject(self._handle, wintypes.UINT(1))

    def close(self) -> None:
        if self._handle:
            self._kernel.CloseHandle(self._handle)
            self._handle = wintypes.HANDLE()

    def _checked(self, result: Any) -> Any:
        if not result:
            raise OSError(ctypes.get_last_error(), "the job object was refused")  # pyright: ignore[reportAttributeAccessIssue]
        return result
