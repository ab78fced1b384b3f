"""`python -m bitget_async` is the program `bitget-async`."""

from __future__ import annotations

import sys

from bitget_async.cli import main

if __name__ == "__main__":
    sys.exit(main())
