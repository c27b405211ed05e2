"""What was used: requests, tokens and dollars of each day, model and project, counted from the lines that the stages log anyway.

tally.py     lines in, counts out      (pure)
store.py     the SQLite file
keeper.py    both together beside a running chain, in a thread
summary.py   counts put together by day, model or project      (pure)
answers.py   what may be asked of them while the chain runs
"""
