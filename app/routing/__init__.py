"""Facts in, plan out. Standard library only."""
