"""`route explain`: what the rules would do to a request and who would serve it, told without sending anything.

explain.py   the real stages between two sides of our own (file_tests/scenes.py)
why.py       why the router would choose as it does      (pure)
report.py    all of it as lines                          (pure)
"""
