"""Claims jobs, runs them on the one accelerator thread, recovers them after a crash."""
