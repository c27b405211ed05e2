"""What comes from the agent: its output as the events of one response, its refusals as failures."""
