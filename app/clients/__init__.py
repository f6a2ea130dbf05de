"""How to talk to each outside service; knows no invoice and no resident."""
