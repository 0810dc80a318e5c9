"""`python -m timebank.cli` is the command `timebank`."""

import sys

from timebank.cli import main

sys.exit(main())
