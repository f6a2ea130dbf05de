"""Stand-ins for every outside service, at their real addresses; never in production.

``create_sandbox(directory)`` is one WSGI application that answers by host, in the process (`SandboxTransport`) or as a
process of its own (``python -m app.sandbox``, reached by `SandboxProcess`). What it took stands in ``received.jsonl``
(``received.py``), what the registries know in ``sandbox.json`` (``world.py``), and faults on demand in ``faults.py``.
"""

from __future__ import annotations

from app.sandbox.application import create_sandbox
from app.sandbox.transport import SandboxProcess, SandboxTransport, transport_to

__all__ = ["SandboxProcess", "SandboxTransport", "create_sandbox", "transport_to"]
