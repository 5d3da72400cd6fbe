"""What each command of the command line does; cli.py puts them together."""
