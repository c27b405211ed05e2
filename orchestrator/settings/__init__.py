"""The reading of the user's files: pipeline.toml and models.json, every problem with its place and in a sentence."""
