"""`python -m guestlab` is `guestlab`."""

from __future__ import annotations

import sys

from guestlab.cli import main

sys.exit(main())
