"""Changes of the pure modules, one at a time, that the tests must notice.

    make mutants                                              all modules of tests/mutants/modules.py
    make mutants ONLY='mirror/guards outcomes'                those whose path has one of these

A change is one that cosmic-ray makes: another comparison, a number one off, `and` for `or`, a condition turned round,
a loop that never begins. A change that no test notices is printed with its lines, unless tests/mutants/argued.toml
says why it makes no difference to anybody; the exit code is 1 if there was one.
"""
