"""Plays exchanges through real stages, between a caller and next hops of our own, and tells what both sides saw.

`python -P -m codex_shim.stages.kit.rehearsal` reads a `Play` as JSON from standard input and writes one `Seen` per exchange, a line
each, as soon as it is known. It judges nothing. `codex-shim pipeline test` is its user.

    play.py       what is to be played, and what was seen     (data)
    answers.py    what a scripted next hop says               (pure)
    scene.py      the stages of one scene as processes, its exchanges one after the other
"""
