"""Other engines doing the core's work: decode, apply, assess, and keep the state so that it survives a crash."""
