"""What a run tells: progress, log, alerts, metrics."""
