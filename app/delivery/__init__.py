"""Gather facts, plan, claim, send, take receipts, reconcile. Renders no page."""
