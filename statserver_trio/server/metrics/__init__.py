"""What Prometheus is told: the server's own numbers, and the statistics that a site chose."""
