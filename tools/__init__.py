"""The tools that turn the examples, the package and the pages into the site."""
