"""The chain as a service of the user's account: there after a reboot, and again after a crash."""
