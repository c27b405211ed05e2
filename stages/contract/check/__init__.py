"""What the contract of a hop promises (docs/hop-contract.md), as rules that are held against what crosses one. Pure.

    violation.py   what is found
    request.py     one request
    stream.py      the events of one answer, as they come
    items.py       the output items that they open, fill and close
    ending.py      the terminal event and what it says
    answer.py      an answer in one piece, and its headers
    digest.py      what is left of a request for a comparison with the other side of a stage

A rule judges shape alone: which words a stage changes is its own business. What the contract does not name passes.
"""
