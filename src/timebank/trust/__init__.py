"""Proofs that a stranger can check.

The law of this floor: plain functions over bytes and texts, no clock, no I/O. Only `signer.py` asks
`cryptography` for signatures; everything else is the standard library, so that another reader could
write it again from the page of its standard.
"""
