"""Makes the site. Alone knows mkdocs and Material."""
