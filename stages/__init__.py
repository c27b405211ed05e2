"""The processes of the chain: one folder per stage, `contract` and `kit` beneath them."""
