"""Which regions an actor may see."""

from dataclasses import dataclass

from timebank.domain import region


@dataclass(frozen=True, slots=True)
class Scope:
    """The division that an actor may see, with everything below it.

    Built from a sign-in, or from the command line by an operator; never from a URL.
    """

    region: int

    @property
    def codes(self) -> range:
        """The division codes that the scope covers."""
        return region.subtree(self.region)

    def covers(self, code: int) -> bool:
        """Return whether a division lies within the scope."""
        return code in self.codes

    def narrowed(self, code: int) -> "Scope | None":
        """Return the scope of a division within this one, or None where it lies outside."""
        return Scope(code) if self.covers(code) else None


def scope_of_book(book: int) -> Scope:
    """Return the whole county that keeps a book, for what the product counts for itself.

    Nothing that answers somebody may ask for it: their scope comes from their sign-in.
    """
    return Scope(book * 1_000_000)
