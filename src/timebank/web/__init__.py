"""The pages people read: one page object and one handler per page, by who looks at it.

A page goes handler, query, template. A template prints, loops and tests, nothing more; whatever it
prints was made ready in `format.py` and said in the reader's language by `catalog.py`.
"""
