"""A month of hourly runs of tap and target, compressed into a minute, while HubSpot and the source change.

    python -m tests.soak --seed 7 --cases 3                    so many months
    python -m tests.soak --case 'mirror,email,sqlite|7|720|1'  one again: settings, seed, runs, hours between them

The lists must be exact after each run that exits 0, each event must arrive however late it turns up within the
lookback, and what grows without need is found: open files, threads, memory, calls, the ledger and STATE must be at
the end what they were in the middle.
"""
