"""Claims jobs, runs them on the accelerator, recovers them after a crash."""
