"""What a web server and the ``flask`` command load."""

from __future__ import annotations

import gc

from app import create_app

app = create_app()
# What is loaded by now stays for good. Walking it again at every full collection took a third of an import's time, and
# would copy every page of it in a forked worker.
gc.freeze()
