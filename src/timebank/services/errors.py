"""Failures that any use case may raise: the world said no."""


class NotFoundError(Exception):
    """What was named does not exist, or lies outside what the actor may see."""


class NotPermittedError(Exception):
    """The actor may not do this."""


class ConflictError(Exception):
    """Somebody else changed it meanwhile."""
