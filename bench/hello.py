"""The least a Flask page can be: the limit that the pages are measured against."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """One line."""
    return "Hei"
