"""Records, names and addresses that nobody writes on purpose: a run must bear them, and give nobody away."""
