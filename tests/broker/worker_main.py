"""The worker of the broker tests: `python -m tests.broker.worker_main [standin|detectors]`, settings as ever."""

from __future__ import annotations

import os
import sys

from streams.settings import Settings
from streams.worker import default_fold, run
from tests.broker.standin import StandIn

if __name__ == "__main__":
    settings = Settings.from_env(os.environ)
    sys.exit(run(settings, make_fold=StandIn if "standin" in sys.argv else default_fold(settings)))
