"""The envelope of the contract, under the name by which the dialects know it."""

from ...contract.envelope import PREFIX, Envelope, is_ours, seal, unseal

__all__ = ["PREFIX", "Envelope", "is_ours", "seal", "unseal"]
