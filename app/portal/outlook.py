"""What the residents' pages call the ways of an invoice by."""

from __future__ import annotations

from app.delivery.outlook import Standing, Way

__all__ = ["Standing", "Way"]
