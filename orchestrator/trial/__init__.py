"""A tiny conversation with one model through the running chain: does it call tools, does its text stream, what fails."""
