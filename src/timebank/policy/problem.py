"""Why a pack is refused: a closed list of codes, each found at a file and a line."""

from dataclasses import dataclass
from enum import StrEnum


class ProblemCode(StrEnum):
    """Stable codes, grouped by what an author has to look at."""

    NO_FOLDER = "pack.no_folder"
    NO_PACK_FILE = "pack.no_pack_file"
    UNKNOWN_FILE = "pack.unknown_file"
    NOT_A_FILE = "pack.not_a_file"
    TOO_LARGE = "pack.too_large"
    TOO_MANY = "pack.too_many"
    TOO_DEEP = "pack.too_deep"
    NOT_TEXT = "pack.not_text"

    SYNTAX = "pack.syntax"
    DUPLICATE_KEY = "pack.duplicate_key"
    FLOAT = "pack.float"
    CLOCK_TIME = "pack.clock_time"
    NUMBER_FORM = "pack.number_form"
    NUMBER_RANGE = "pack.number_range"

    MISSING_KEY = "pack.missing_key"
    UNKNOWN_KEY = "pack.unknown_key"
    LATER = "pack.later"
    WRONG_TYPE = "pack.wrong_type"
    WRONG_VALUE = "pack.wrong_value"
    DUPLICATE_ID = "pack.duplicate_id"
    EMPTY = "pack.empty"

    NO_CITATION = "pack.no_citation"
    UNKNOWN_INSTRUMENT = "pack.unknown_instrument"
    NO_PLACE = "pack.no_place"

    UNKNOWN_FACT = "pack.unknown_fact"
    UNKNOWN_OPERATOR = "pack.unknown_operator"
    UNKNOWN_WINDOW = "pack.unknown_window"
    WRONG_WINDOW = "pack.wrong_window"
    UNKNOWN_PARAMETER = "pack.unknown_parameter"
    UNUSED_PARAMETER = "pack.unused_parameter"
    UNKNOWN_RULE = "pack.unknown_rule"
    UNIT = "pack.unit"
    DATES = "pack.dates"
    NO_VALUE_YET = "pack.no_value_yet"
    NOT_ASCENDING = "pack.not_ascending"
    LEVELS = "pack.levels"
    DENY_UNDER_NOT = "pack.deny_under_not"
    IMPOSSIBLE = "pack.impossible"
    SELF_REFERENCE = "pack.self_reference"
    NO_POOL = "pack.no_pool"

    PROTECTED_FACT = "pack.protected_fact"
    UNKNOWN_TABLE = "pack.unknown_table"
    UNKNOWN_COLUMN = "pack.unknown_column"
    UNKNOWN_PLUGIN = "pack.unknown_plugin"
    UNKNOWN_POOL = "pack.unknown_pool"
    UNKNOWN_GROUP = "pack.unknown_group"
    UNUSED = "pack.unused"
    AMOUNT = "pack.amount"
    NO_PERIOD = "pack.no_period"
    NO_TIE_RULE = "pack.no_tie_rule"
    NO_TERMS = "pack.no_terms"
    MIXED_GROUP = "pack.mixed_group"
    CONTRADICTION = "pack.contradiction"
    TABLE_SHAPE = "pack.table_shape"
    TABLE_GAP = "pack.table_gap"
    TABLE_OVERLAP = "pack.table_overlap"


SENTENCES: dict[ProblemCode, str] = {
    ProblemCode.NO_FOLDER: "there is no such folder",
    ProblemCode.NO_PACK_FILE: "a pack needs a file pack.toml",
    ProblemCode.UNKNOWN_FILE: "this file does not belong to a pack",
    ProblemCode.NOT_A_FILE: "links and special files are not read",
    ProblemCode.TOO_LARGE: "a file may have 1 MiB, a pack 4 MiB",
    ProblemCode.TOO_MANY: "too many: {}",
    ProblemCode.TOO_DEEP: "nested too deeply: {}",
    ProblemCode.NOT_TEXT: "the file is not UTF-8 text",
    ProblemCode.SYNTAX: "not TOML: {}",
    ProblemCode.DUPLICATE_KEY: "`{}` is given twice",
    ProblemCode.FLOAT: "`{}` is not a whole number; use minutes and fen",
    ProblemCode.CLOCK_TIME: "`{}`: a pack knows days, not times of day",
    ProblemCode.NUMBER_FORM: "`{}`: write whole numbers in plain digits",
    ProblemCode.NUMBER_RANGE: "`{}` is out of range",
    ProblemCode.MISSING_KEY: "`{}` is missing",
    ProblemCode.UNKNOWN_KEY: "`{}` is not known here",
    ProblemCode.LATER: "`{}` is not supported by this release; nothing of it would happen",
    ProblemCode.WRONG_TYPE: "`{}` is of the wrong type",
    ProblemCode.WRONG_VALUE: "`{}` is not allowed here",
    ProblemCode.DUPLICATE_ID: "`{}` is used twice",
    ProblemCode.EMPTY: "`{}` is empty",
    ProblemCode.NO_CITATION: "`{}` needs a citation (cite)",
    ProblemCode.UNKNOWN_INSTRUMENT: "the citation names `{}`, which is not an instrument here",
    ProblemCode.NO_PLACE: "`{}`: name the article after the instrument, or say source = assumed",
    ProblemCode.UNKNOWN_FACT: "`{}` is not a known fact",
    ProblemCode.UNKNOWN_OPERATOR: "`{}` is not an operator for this fact",
    ProblemCode.UNKNOWN_WINDOW: "`{}` is not a window",
    ProblemCode.WRONG_WINDOW: "`{}` does not fit this fact",
    ProblemCode.UNKNOWN_PARAMETER: "there is no parameter `{}`",
    ProblemCode.UNUSED_PARAMETER: "no rule uses the parameter `{}`",
    ProblemCode.UNKNOWN_RULE: "there is no rule `{}`",
    ProblemCode.UNIT: "`{}`: end the parameter's name with the fact's unit",
    ProblemCode.DATES: "`{}`: later values follow earlier ones, one a day, first day before last",
    ProblemCode.NO_VALUE_YET: "the rule is valid before `{}` has a value",
    ProblemCode.NOT_ASCENDING: "`{}`: each level needs more than the one below",
    ProblemCode.LEVELS: "`{}`: one number for each level, on every date",
    ProblemCode.DENY_UNDER_NOT: "`{}`: unknown = deny under a not would grant on the unknown",
    ProblemCode.IMPOSSIBLE: "nobody can meet both bounds on `{}`",
    ProblemCode.SELF_REFERENCE: "`{}` is what this rule provides",
    ProblemCode.NO_POOL: "`{}`: money and places need a pool to come from",
    ProblemCode.PROTECTED_FACT: "`{}` is protected by law; no rule may ask for it",
    ProblemCode.UNKNOWN_TABLE: "there is no table `{}`",
    ProblemCode.UNKNOWN_COLUMN: "the table has no column `{}`",
    ProblemCode.UNKNOWN_PLUGIN: "no plug-in that is switched on brings `{}`",
    ProblemCode.UNKNOWN_POOL: "there is no pool `{}`",
    ProblemCode.UNKNOWN_GROUP: "there is no group `{}`",
    ProblemCode.UNUSED: "nothing uses `{}`",
    ProblemCode.AMOUNT: "`{}`: say how much once: count, count_param, column or per",
    ProblemCode.NO_PERIOD: "`{}`: one limit says max = 1 per person, and over which period",
    ProblemCode.NO_TIE_RULE: "`{}`: say what happens to equals (ties)",
    ProblemCode.NO_TERMS: "`{}`: credits and points need terms of their own (credit)",
    ProblemCode.MIXED_GROUP: "`{}`: this group compares amounts, so all its rules give the same",
    ProblemCode.CONTRADICTION: "`{}` contradicts the rest of the rule",
    ProblemCode.TABLE_SHAPE: "`{}`: every row has one cell for each heading, each heading once",
    ProblemCode.TABLE_GAP: "no row covers {}",
    ProblemCode.TABLE_OVERLAP: "two rows cover {}",
}
"""What a code says to a pack's author; `{}` is the name or value it is about."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One reason why a pack is refused.

    Attributes:
        line: Counted from 1; 0 when the file as a whole is meant.
        subject: The name or value that the problem is about.
    """

    file: str
    line: int
    code: ProblemCode
    subject: str = ""

    def __str__(self) -> str:
        """Return the line a command prints: `file:line: code: sentence`."""
        sentence = SENTENCES[self.code].format(self.subject)
        return f"{self.file}:{self.line}: {self.code.value}: {sentence}"


@dataclass(frozen=True, slots=True)
class PackRefused:
    """The outcome of reading a pack that may not be used.

    Attributes:
        problems: All that were found, by file and line; never empty.
    """

    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        """Return one line per problem."""
        return "\n".join(str(problem) for problem in self.problems)
