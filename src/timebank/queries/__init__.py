"""Reads that join ledger and store.

Floor law: selects only; each query takes the `scope` of whoever asks, or the volunteer whose own
rows they are.
"""
