"""For all tests."""

from __future__ import annotations

import signal

# A script that starts the tests with `&` has SIGINT ignored, and so would every process that they start and then stop.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
