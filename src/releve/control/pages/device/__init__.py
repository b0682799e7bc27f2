"""The pages of devices: all of them at a glance, and one."""
