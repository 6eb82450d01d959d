"""What ``m3cred doctor`` looks at, a file for each area."""
