"""Prometheus rules and Grafana dashboards: described here, written as files, checked against declared metrics."""
