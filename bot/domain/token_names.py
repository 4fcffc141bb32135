"""What tokens of scripts are called, what they are for, and how long they may last."""

from __future__ import annotations

import re
from enum import StrEnum

#: By it people and secret scanners know what was found.
PREFIX = "clst_"
#: A year: what is forgotten longer than that is not missed.
MOST_DAYS = 366
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Scope(StrEnum):
    """Say what a token of a script is for."""

    read = "read"
    export = "export"
    #: It decides: so the projects must be named.
    noise = "noise"


#: What decides about a project is given for projects by name, never for all that there are and will be.
DECIDING = frozenset({Scope.noise})
