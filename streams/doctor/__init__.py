"""`churnwatch doctor`: what a worker would need here, looked at one by one, and what to do about what is not so."""
