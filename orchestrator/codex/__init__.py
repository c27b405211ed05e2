"""What Codex needs from us and we from it: the installed CLI's prompt, the catalog, the generated files."""
