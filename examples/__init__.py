"""Input files that the documents and the tests use, and the demo that `make demo` runs."""
