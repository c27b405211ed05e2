"""A script stage that gets into every trouble once: it is slow to start, and `hang`, `die` or `flood` in a request make it do so.

`config["folder"]` is where it notes what it has been through.
"""

import os
import sys
import threading
import time
from pathlib import Path

FOLDER = Path(globals()["config"]["folder"])  # the host gives it
FLOOD = 64 * 1024 * 1024


def first(trouble):
    note = FOLDER / trouble
    try:
        note.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


if first("slow"):
    time.sleep(2.5)


def request(body):
    text = str(body["input"][-1])
    if "hang" in text and first("hang"):
        print("about to hang", flush=True)
        time.sleep(3600)
    if "die" in text and first("die"):
        print("about to die", flush=True)
        os._exit(7)
    if "flood" in text and first("flood"):
        threading.Thread(target=flood).start()
    return body


def flood():
    line = b"x" * 255 + b"\n"
    for _ in range(FLOOD // len(line) // 512):
        os.write(1, line * 512)
    print("flood over", file=sys.stderr, flush=True)
