"""What is done with the whole project by hand, weekly or on publishing: pins, versions, changes."""
