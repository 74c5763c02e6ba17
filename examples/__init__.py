"""Input files that the README and the tests use, and the demo that `make demo` runs."""
