"""What a web server and the ``flask`` command load."""

from __future__ import annotations

import gc

# Nothing that is loaded here becomes garbage: to look for some again and again took a fifth of a command's start.
gc.disable()

from app import create_app  # noqa: E402 - after the line above, which is about this import

app = create_app()
# What is loaded by now stays for good. Walking it again at every full collection took a third of an import's time, and
# would copy every page of it in a forked worker.
gc.freeze()
gc.enable()
