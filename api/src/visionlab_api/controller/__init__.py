"""The process that does what is wished for: all control loops, and no requests but those of who watches it."""
