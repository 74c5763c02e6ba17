"""Random histories: changes in the source and in HubSpot, runs that fail, and the lists that must come out of them.

    python -m tests.random_histories --seed 7 --cases 500      so many histories, from this number on
    python -m tests.random_histories --case 'TEXT'             one history again, as a failure prints it

Each history is made from a number of its own: a long run goes on after a failure, histories can be spread over
processes, and each can be repeated alone. A history that fails is cut down to a short one that fails too.
"""
