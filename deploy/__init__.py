"""What is needed to run churnwatch somewhere: a local broker, images, the supervisor behind `make run`."""
