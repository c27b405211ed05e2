"""Does one stage keep the contract of a hop? `python -P -m codex_shim.stages.kit.conformance --script trim.py` tells.

The stage under test stands between a caller and a scripted next hop, both ours, so that both sides of it can be seen.

    subject.py   what is tested, and how it is started        (data)
    verdict.py   checks and outcomes, the words for failing    (data)
    samples.py   the requests and streams that are sent        (pure)
    judge.py     what is wrong with what came out              (pure)
    hop.py       the scripted next hop
    process.py   the stage under test as a process
    advice.py    what usually has to be changed              (data)
    junit.py     the report for CI systems                   (pure)
    bench.py     what a check is given: the stage, both its sides, its process
    forward.py   backward.py   cancelling.py   lifetime.py   the checks, by what they look at
    run.py       all checks in order, and which of them apply
"""
