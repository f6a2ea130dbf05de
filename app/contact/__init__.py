"""How residents change the ways we reach them, and what they choose about delivery."""
