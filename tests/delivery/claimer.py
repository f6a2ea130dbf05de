"""A process that claims work until there is none, and says what it got: ``python -m tests.delivery.claimer URL FILE``.

It begins when FILE is there. With a third argument it claims once, says so, and never ends by itself.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.dialect import prepare_engine
from app.delivery import work
from app.delivery.workers import working
from app.routing.channels import Channel


def main(url: str, begin: Path, *, is_stuck: bool) -> None:
    """Claim three at a time."""
    engine = create_engine(url)
    prepare_engine(engine)
    got: list[int] = []
    with Session(engine) as session, working() as worker:
        while not begin.exists():
            time.sleep(0.001)
        while ids := work.take(session, worker, Channel.EMAIL, 3, Clock().now()):
            got += ids
            if is_stuck:
                break
        print(json.dumps(got), flush=True)  # noqa: T201 - the test reads it
        while is_stuck:
            time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), is_stuck=len(sys.argv) > 3)
