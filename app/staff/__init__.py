"""The pages of the municipality's own people."""
