"""What the API and the pages share: the clock, who is signed in, the desk, errors.

Floor law: knows the web framework, knows no page and no template.
"""
