"""Executes the examples and keeps what they show. Knows no HTML and no Markdown."""
