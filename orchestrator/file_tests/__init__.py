"""`pipeline test`: the `[[test]]` tables of pipeline.toml, run against the real stages between two sides of our own.

    scenes.py     which processes a test needs, and what is said to them
    rehearsal.py  the runner, a process of its own (stages/kit/rehearsal): scenes in, what was seen out
    seen.py       what was seen, as the values that expectations are about    (pure)
    judge.py      expected and got                                            (pure)
    report.py     lines, JSON, JUnit                                          (pure)
    run.py        all of it together

scenes.py and rehearsal.py know nothing of expectations: whoever wants to see where a request goes can use them alone.
"""
