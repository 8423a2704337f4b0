"""What turns the examples, the package and the pages into the site."""
