"""Judging models: what a card says of them."""
