"""The words and decisions of the time bank.

Floor law: the standard library and this package only; no framework, no `async`, no clock, no I/O.
"""
