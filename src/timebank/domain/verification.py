"""Why an entry could not be proved to somebody who asked."""

from enum import StrEnum


class VerificationRefusal(StrEnum):
    """What does not hold, in the order of checking."""

    MALFORMED = "verify.malformed"
    """The file is no proof."""
    NO_LOG = "verify.no_log"
    NO_ENTRY = "verify.no_entry"
    NOT_SIGNED_YET = "verify.not_signed_yet"
    FOREIGN_KEY = "verify.foreign_key"
    """No key of the book signed the head."""
    NOT_INCLUDED = "verify.not_included"
    """The head is signed, and the entry is not under it: it was changed."""
    BOOK_DIFFERS = "verify.book_differs"
    """The proof holds, and the book says something else now: the book was changed."""
    LOG_DIFFERS = "verify.log_differs"
    """What is stored of the entry does not lead to the signed head: the log was changed."""
