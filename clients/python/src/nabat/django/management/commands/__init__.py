"""__init__.py -- where Django looks for commands."""
