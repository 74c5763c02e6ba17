"""Random faults for the tap: every call of a run with every fault, and what must be true after the run and a rerun.

    python -m tests.random_tap_faults --seed 7 --cases 500     so many cases, in this seed's order
    python -m tests.random_tap_faults --seed 7 --case 'TEXT'   one case again, as a failure prints it

The faults are those of tests/random_faults; the calls are those of runs without a fault.
"""
