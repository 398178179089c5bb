"""The commands, one file per group; each is imported when it is called, and imports its own work when it runs."""
