"""The rule `repair`: what a model meant to call, and wrote into its text instead; and patches that are not quite patches. Pure."""
