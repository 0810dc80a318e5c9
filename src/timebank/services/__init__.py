"""Use cases: one function, one transaction, the verb people say.

Floor law: a use case takes `db` and owns its transaction; nothing is answered before the commit.
"""
