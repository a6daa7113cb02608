"""__init__.py -- a shop whose payments fail, and whose admin has the section Bot Errors."""
