"""Codex Desktop as a bundle on macOS: two edits of its pages, and the way back."""
