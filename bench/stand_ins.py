"""The stand-ins as a process that is killed and started again at the same address."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
# A lost answer is held back longer than the client waits for it.
READ_SECONDS, HELD_SECONDS = 1.0, 1.5
LONGEST_AWAY = 0.5
MOST_STARTS = 20


@dataclass
class StandIns:
    """One process at a time on *directory*; *today* as a date."""

    directory: Path
    today: str
    draw: random.Random
    port: int = 0
    kills: int = 0
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """What lets the product find them, and not wait long for them."""
        return {
            "SANDBOX_URL": f"http://{HOST}:{self.port}",
            "CALL_TIMEOUTS": f"connect=2, read={READ_SECONDS}, write=2, total=5",
            "BREAKER_REST_SECONDS": "1",
        }

    def start(self) -> None:
        """Start at the same port as before; again when somebody holds it just now. Raises RuntimeError."""
        command = [sys.executable, "-m", "app.sandbox", "--directory", str(self.directory), "--port", str(self.port),
                   "--today", self.today, "--timeout-seconds", str(HELD_SECONDS)]  # fmt: skip
        for _ in range(MOST_STARTS):
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            said = process.stdout.readline() if process.stdout else ""
            if said:
                self.port, self.process = int(said.rpartition(":")[2]), process
                return
            process.wait()
            time.sleep(0.1)
        raise RuntimeError(f"the stand-ins do not start at port {self.port}")

    def kill(self) -> None:
        """End them as they stand, and start them again after a moment of nobody there."""
        self.stop()
        self.kills += 1
        time.sleep(self.draw.uniform(0, LONGEST_AWAY))
        self.start()

    def stop(self) -> None:
        """End them with SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def let_fail(directory: Path, share: float) -> None:
    """Let every service of the made-up municipality fail in this *share* of its calls, in every way it can."""
    path = directory / "sandbox.json"
    world = json.loads(path.read_text(encoding="utf-8"))
    services: Mapping[str, dict[str, float]] = world["faults"]["services"]
    for service in services.values():
        service["rate"] = share
    path.write_text(json.dumps(world, ensure_ascii=False), encoding="utf-8")
