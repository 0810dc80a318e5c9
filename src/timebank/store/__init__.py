"""Facts that change: people, organizations, activities, shifts, sign-ins, packs.

Floor law: one file per noun, rows become frozen dataclasses, no decision is taken here. Does not
know the ledger.
"""
