"""The pages of the municipality's people."""
