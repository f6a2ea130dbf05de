"""The front-end packages: which, in which versions, and how their files become ``static/vendor``."""
