"""Permanent facts: accounts, transfers, and what is derived from them in the same commit.

Floor law: nothing here is updated or deleted but the book's head and the roll-up. Knows nothing of
people's names, activities or the web. Only services write.
"""
