"""Incentive rules: packs of dated, cited data, evaluated with a reason for every condition.

Floor law: the standard library, `domain` and this package; `columns.py` alone also knows NumPy. No
clock (`on` is an argument) and no I/O, except that `pack.py` reads the files of a pack's folder.
"""
