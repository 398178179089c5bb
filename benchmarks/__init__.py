"""Every number that README states, measured by one command: `make bench`."""
