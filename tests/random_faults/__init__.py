"""Random faults: every call of a run with every fault, and what must be true after the run and after a rerun.

    python -m tests.random_faults --seed 7 --cases 2000     so many cases, in this seed's order
    python -m tests.random_faults --case 'TEXT'             one case again, as a failure prints it

The calls are those of runs without a fault, in variants in which every two settings meet.
"""
