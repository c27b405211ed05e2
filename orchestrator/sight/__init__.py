"""Seeing what crosses a hop: tap, diff, record, replay. All is pure but for feed, recorder, playing and serving."""
