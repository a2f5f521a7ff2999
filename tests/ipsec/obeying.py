"""How a program inside a namespace is told what to do: a line of JSON each, until there is none."""

from __future__ import annotations

import json
import sys


def obey(inside: object) -> None:
    """Each line is the name of a method and its arguments; what it returns is the answer."""
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        print(json.dumps(getattr(inside, command)(*arguments)), flush=True)
