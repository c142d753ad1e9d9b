"""`python -m edge_sdk`, the same as `edge-sdk`."""

import sys

from edge_sdk.cli import main

sys.exit(main())
