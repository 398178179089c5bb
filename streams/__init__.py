"""The shell: the Faust app and the engine under it, the clock, replay, and the command line. Thin; no arithmetic."""
