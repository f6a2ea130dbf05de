"""How an invoice leaves: one adapter a channel, behind one contract. Knows no model and no other channel."""
