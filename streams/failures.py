"""What ends a command with one clear line on stderr, and no traceback.

Rules: whoever raises a Failure has written its message for the person at the keyboard; anything else that reaches the
command line is a defect, and is reported as one. This file imports nothing, so that to name a failure loads no client.
"""

from __future__ import annotations

from typing import ClassVar


class Failure(Exception):  # noqa: N818 - what it ends is a command; it is no error of the program
    """The work cannot be done; the message says what is wrong and, where it can be said, what to change."""

    exit_code: ClassVar[int] = 1


class WrongUsage(Failure):
    """What was asked for makes no sense, in an option or in the environment."""

    exit_code = 2
