"""What goes to the agent: a Responses request as one prompt."""
