"""A real Kafka broker on this machine, from Apache Kafka's own jars."""
